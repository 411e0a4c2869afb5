import Batching
import Glibc
import SystemPackage
import TestSupport
import Testing
import Watcher

@testable import Runner

/// A build whose Bazel plays recorded events.
struct PlayedBuild {
  private let directory: TemporaryDirectory
  let scratch: FilePath
  let updates = BuildUpdates()

  init() throws {
    directory = try TemporaryDirectory()
    scratch = directory.path
  }

  func build(
    _ names: String..., events: [String], error: String = "", exit: Int32 = 0
  ) async throws -> BuildResult {
    let runner = ScriptedRunner { command, output in
      let option = "--build_event_json_file="
      guard let argument = command.arguments.first(where: { $0.hasPrefix(option) }) else {
        return .exited(2)
      }
      if !error.isEmpty { output(.standardError(Array(error.utf8))) }
      // As Bazel does, into the file that is there already.
      let file = try FileDescriptor.open(
        String(argument.dropFirst(option.count)), .writeOnly, options: .truncate)
      _ = try file.closeAfter {
        try file.writeAll(events.map { $0 + "\n" }.joined().utf8)
      }
      return .exited(exit)
    }
    return try await bazel(runner).build(
      BuildRequest(targets: try names.map { try #require(Label($0)) }), update: updates.add)
  }

  var outcomes: [String: TargetOutcome] {
    var outcomes: [String: TargetOutcome] = [:]
    for (label, outcome) in updates.outcomes {
      #expect(outcomes[label.description] == nil, "each target is reported once")
      outcomes[label.description] = outcome
    }
    return outcomes
  }

  func bazel(_ runner: ScriptedRunner) -> Bazel {
    Bazel(workspace: "/w", runner: runner, clock: ContinuousClock(), scratch: scratch)
  }

  func labels(_ names: String...) throws -> [Label] {
    try names.map { try #require(Label($0)) }
  }
}
