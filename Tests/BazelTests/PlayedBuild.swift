import Glibc
import Graph
import SystemPackage
import TestSupport
import Testing

@testable import Bazel
@testable import Processes

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
      if !error.isEmpty { output(.standardError(Array(error.utf8))) }
      try command.writeEvents(events)
      return .exited(exit)
    }
    return try await bazel(runner).build(
      BuildRequest(targets: try names.map { try #require(Label($0)) }), update: updates.add)
  }

  /// With a Bazel of the test's own.
  func build(
    _ names: String..., with runner: ScriptedRunner, clock: any Clock<Duration> = ContinuousClock(),
    look: @escaping @Sendable (Int32?) -> ServerActivity? = { _ in nil }
  ) async throws -> BuildResult {
    var bazel = bazel(runner)
    bazel.clock = clock
    bazel.look = look
    return try await bazel.build(
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
