import Basics
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Bazel
@testable import Processes

/// What is made of the ways in which Bazel ends.
struct BazelEndingTests {
  private let played: PlayedBuild

  init() throws { played = try PlayedBuild() }

  /// An exit code, what Bazel said, what the user is told, and whether another try may help.
  struct Ending: Sendable, CustomTestStringConvertible {
    var code: Int32
    var error = "ERROR: it broke\n"
    var problem: String?
    var isTroubled = false

    var testDescription: String { "\(code): \(error)" }
  }

  static let endings = [
    // What it was to build failed: told target by target.
    Ending(code: 3), Ending(code: 4),
    Ending(
      code: 2, problem: "it broke; check the options after '--', in watchbuild.yaml and in .bazelrc"
    ),
    Ending(
      code: 7,
      problem: "Bazel ended with exit code 7: it broke; run the command by hand to see more"),
    Ending(
      code: 8, problem: "Bazel was interrupted by another hand; the build is tried again",
      isTroubled: true),
    Ending(
      code: 9, error: "Another command (pid=1) is running. Exiting immediately.\n",
      problem: "another command (pid 1"),
    Ending(
      code: 32,
      problem: "Bazel's remote service failed: it broke; check the network, the credentials",
      isTroubled: true),
    Ending(
      code: 33, problem: "Bazel's server ran out of memory; give it more in .bazelrc: startup",
      isTroubled: true),
    Ending(
      code: 36,
      problem: "Bazel can't use this machine's files: it broke; check free space and permissions",
      isTroubled: true),
    Ending(
      code: 37, problem: "Bazel's server crashed or was killed; the next command starts a new one",
      isTroubled: true),
    Ending(
      code: 38, problem: "Bazel could not write its build events: it broke; check free space",
      isTroubled: true),
    Ending(
      code: 39, problem: "the remote cache no longer has what the build needs: it broke; if it",
      isTroubled: true),
    Ending(
      code: 48, problem: "Bazel can't get an external dependency: it broke; check the network"),
    Ending(code: 137, problem: "Bazel ended with exit code 137: it broke", isTroubled: true),
    Ending(
      code: 36, error: "ERROR: /o/server/x: No space left on device\n",
      problem: "the disk is full: /o/server/x: No space left on device; free some space, and the",
      isTroubled: true),
    Ending(
      code: 1, error: "ERROR: a.sh: write error: No space left on device\n",
      problem: "the disk is full: a.sh: write error: No space left on device; free some space",
      isTroubled: true),
  ]

  @Test(arguments: endings)
  func `every ending of Bazel is told with what to do about it`(_ ending: Ending) async throws {
    let result = try await played.build("//a:b", events: [], error: ending.error, exit: ending.code)
    #expect(result.exitCode == ending.code)
    if let problem = ending.problem {
      #expect(result.problem?.hasPrefix(problem) == true, "\(result.problem ?? "")")
    } else {
      #expect(result.problem == nil)
    }
    #expect(result.isTroubled == ending.isTroubled)
    // What is worth another try is not the image's fault; either way it stays owed.
    if case .skipped = played.outcomes["//a:b"] {
      #expect(ending.isTroubled || ending.code == 9)
    } else {
      #expect(played.outcomes.count == 1)
    }
  }

  @Test func `a client that hangs after the last event is ended, and its build counts`()
    async throws
  {
    let clock = ManualClock()
    let runner = ScriptedRunner { command, _ in
      let option = "--build_event_json_file="
      let path = command.arguments.first { $0.hasPrefix(option) }?.dropFirst(option.count) ?? ""
      let events = [
        #"{"id":{"targetCompleted":{"label":"//a:b"}},"completed":{"success":true}}"#,
        #"{"id":{"buildFinished":{}},"finished":{"exitCode":{"name":"SUCCESS"}}}"#,
        #"{"id":{"buildToolLogs":{}},"lastMessage":true}"#,
      ]
      let file = try FileDescriptor.open(String(path), .writeOnly)
      _ = try file.closeAfter { try file.writeAll((events.joined(separator: "\n") + "\n").utf8) }
      // It never returns by itself.
      try await clock.pause(for: .seconds(3600))
      return .exited(99)
    }
    let bazel = Bazel(workspace: "/w", runner: runner, clock: clock, scratch: played.scratch)
    let labels = try played.labels("//a:b")
    let build = Task { [updates = played.updates] in
      try await bazel.build(BuildRequest(targets: labels), update: updates.add)
    }
    await clock.waitForSleepers(2)
    clock.advance(by: .milliseconds(10))
    await played.updates.reach { $0.outcome("//a:b") != nil }
    await clock.waitForSleepers(2)
    clock.advance(by: .seconds(9.9))
    await clock.waitForSleepers(2)
    #expect(played.updates.all.count == 1)
    clock.advance(by: .milliseconds(200))
    let result = try await build.value
    #expect(result == BuildResult(exitCode: 0))
    #expect(
      played.updates.all.last
        == .notice(
          "Bazel has ended its build but its client does not return after 10 s; ending the client"))
  }
}
