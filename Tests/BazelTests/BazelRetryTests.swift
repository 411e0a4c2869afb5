import Basics
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Bazel
@testable import Processes

/// What is made of a Bazel that runs a command again by itself, or that a remote service fails.
struct BazelRetryTests {
  private let played: PlayedBuild

  init() throws { played = try PlayedBuild() }

  private static let started =
    #"{"id":{"started":{}},"children":[{"progress":{}}],"started":{"uuid":"UUID","serverPid":"7"}}"#
  private static let last = #"{"id":{"buildToolLogs":{}},"lastMessage":true,"buildToolLogs":{}}"#

  /// Bazel 7.7.1, shortened.
  private static func first(_ uuid: String) -> [String] {
    [
      started.replacing("UUID", with: uuid),
      #"{"id":{"actionCompleted":{"label":"//a:i"}},"action":{"exitCode":39,"label":"//a:i","type":"Genrule","failureDetail":{"message":"remote spawn failed: Missing digest: 077b/100002 for /x/common.out","spawn":{"code":"REMOTE_CACHE_EVICTED"}}}}"#,
      #"{"id":{"targetCompleted":{"label":"//a:i"}},"children":[{"actionCompleted":{"label":"//a:i"}}],"completed":{"failureDetail":{"message":"remote spawn failed: Missing digest: 077b/100002 for /x/common.out","spawn":{"code":"REMOTE_CACHE_EVICTED"}}}}"#,
      #"{"id":{"buildFinished":{}},"finished":{"exitCode":{"name":"REMOTE_CACHE_EVICTED","code":39}}}"#,
      #"{"id":{"targetCompleted":{"label":"//a:j"}},"aborted":{"reason":"INCOMPLETE"}}"#,
      last,
    ]
  }

  private static func second(_ uuid: String) -> [String] {
    [
      started.replacing("UUID", with: uuid),
      #"{"id":{"targetCompleted":{"label":"//a:i"}},"completed":{"success":true}}"#,
      #"{"id":{"targetCompleted":{"label":"//a:j"}},"completed":{"success":true}}"#,
      #"{"id":{"buildFinished":{}},"finished":{"exitCode":{"name":"SUCCESS"}}}"#, last,
    ]
  }

  private static let complaint =
    "ERROR: /w/a/BUILD:3:9: Executing genrule //a:i failed: (Exit 34): Missing digest: 077b/1\n"

  /// How many bytes longer the second file is than the first, or shorter: what a look at its length
  /// alone would tell.
  @Test(arguments: [0, 400, 5000])
  func `a command that Bazel runs again counts by its second run`(padding: Int) async throws {
    let clock = ManualClock()
    let runner = ScriptedRunner { command, output in
      try command.writeEvents(Self.first("1"))
      output(.standardError(Array(Self.complaint.utf8)))
      await clock.waitForSleepers(1)
      clock.advance(by: .milliseconds(10))
      await clock.waitForSleepers(1)
      let retry = "Found transient remote cache error, retrying the build...\n"
      output(.standardError(Array(retry.utf8)))
      let filler = #"{"id":{"progress":{}},"progress":{"stderr":"PAD"}}"#
        .replacing("PAD", with: String(repeating: "x", count: padding))
      try command.writeEvents(Self.second("2") + [filler])
      return .exited(0)
    }
    let result = try await played.build("//a:i", "//a:j", with: runner, clock: clock)
    #expect(result.exitCode == 0)
    #expect(!result.isTroubled)
    #expect(
      played.outcomes == ["//a:i": .built(outputs: [:]), "//a:j": .built(outputs: [:])])
    #expect(played.updates.diagnostics.isEmpty)
  }

  @Test func `a client that goes on after its first run is not ended`() async throws {
    let clock = ManualClock()
    let runner = ScriptedRunner { command, output in
      try command.writeEvents(Self.first("1"))
      try await clock.pause(for: .seconds(2))
      try command.writeEvents([Self.started.replacing("UUID", with: "2")])
      // An action that takes long, in a server that nothing can be told of.
      try await clock.pause(for: .seconds(100))
      try command.writeEvents(Self.second("2"))
      return .exited(0)
    }
    async let result = played.build("//a:i", "//a:j", with: runner, clock: clock)
    for _ in 0..<1030 {
      await clock.waitForSleepers(2)
      clock.advance(by: .milliseconds(100))
      if clock.now.offset >= .seconds(102) { break }
    }
    #expect(try await result.exitCode == 0)
    #expect(played.outcomes.count == 2)
  }

  @Test func `nothing is settled by what a cache has lost`() async throws {
    let result = try await played.build(
      "//a:i", "//a:j", events: Self.first("1"), error: Self.complaint, exit: 39)
    #expect(result.isTroubled)
    #expect(!result.excusesFailures)
    let problem =
      "the remote cache no longer has what the build needs (Missing digest: 077b/100002 for "
      + "/x/common.out); if it comes back, run 'bazel clean', or keep outputs longer in the cache"
    #expect(result.problem == problem)
    #expect(
      played.outcomes == ["//a:i": .skipped(reason: problem), "//a:j": .skipped(reason: problem)])
    #expect(played.updates.diagnostics.isEmpty, "a service's failure has no place in a BUILD file")
  }

  @Test func `success with failed targets is a contradiction, and tried again`() async throws {
    let result = try await played.build(
      "//a:i", "//a:j",
      events: [
        #"{"id":{"actionCompleted":{"label":"//a:i"}},"action":{"exitCode":1,"label":"//a:i","type":"Genrule","failureDetail":{"message":"bash failed","spawn":{"code":"NON_ZERO_EXIT","spawnExitCode":7}}}}"#,
        #"{"id":{"targetCompleted":{"label":"//a:i"}},"children":[{"actionCompleted":{"label":"//a:i"}}],"completed":{"failureDetail":{"message":"bash failed"}}}"#,
        #"{"id":{"targetCompleted":{"label":"//a:j"}},"completed":{"success":true}}"#,
        #"{"id":{"buildFinished":{}},"finished":{"exitCode":{"name":"SUCCESS"}}}"#, Self.last,
      ])
    #expect(result.exitCode == 0)
    #expect(result.isTroubled && result.excusesFailures)
  }

  /// What Bazel says of an action, its exit code, its name for it, and what the user reads.
  struct Failure: Sendable {
    var message: String
    var exit = 34
    var code: String?
    var kind = RemoteTrouble.Kind.unreachable
    var reason: String
  }

  @Test(arguments: [
    Failure(
      message: "remote spawn failed: UNAVAILABLE: io exception", code: "EXECUTION_FAILED",
      reason: "UNAVAILABLE: io exception"),
    Failure(
      message: "remote spawn failed: UNAVAILABLE: text: more", code: "EXECUTION_FAILED",
      reason: "UNAVAILABLE: text: more"),
    Failure(
      message: "remote spawn failed: UNAUTHENTICATED: token missing or expired",
      code: "EXECUTION_FAILED", kind: .refused, reason: "UNAUTHENTICATED: token missing or expired"),
    Failure(
      message:
        "Failed to query remote execution capabilities: UNAVAILABLE: Unable to resolve host x",
      exit: 1, reason: "UNAVAILABLE: Unable to resolve host x"),
    Failure(
      message: "Lost inputs no longer available remotely: a.txt (784/19)", exit: 1, kind: .evicted,
      reason: "Lost inputs no longer available remotely: a.txt (784/19)"),
    Failure(
      message: "lost inputs with digests: 784/19", exit: 1, kind: .evicted,
      reason: "lost inputs with digests: 784/19"),
    Failure(
      message: "Unexpected lost inputs (pass --rewind_lost_inputs to enable recovery): a.txt",
      exit: 1,
      kind: .evicted,
      reason: "Unexpected lost inputs (pass --rewind_lost_inputs to enable recovery): a.txt"),
    Failure(
      message: "Failed to fetch blobs because they do not exist remotely.: Missing digest: 2b/2",
      exit: 1, kind: .evicted, reason: "Missing digest: 2b/2"),
    Failure(message: "something else", exit: 34, reason: "something else"),
  ])
  func `a service's failure is known by its words where the exit code tells nothing`(
    _ failure: Failure
  ) async throws {
    let spawn = failure.code.map { #","spawn":{"code":"\#($0)"}"# } ?? ""
    let detail = #""failureDetail":{"message":"\#(failure.message)"\#(spawn)}"#
    let other =
      #"{"id":{"targetCompleted":{"label":"//a:j"}},"completed":{"failureDetail":{"message":"no"}}}"#
    let result = try await played.build(
      "//a:i", "//a:j",
      events: [
        #"{"id":{"actionCompleted":{"label":"//a:l"}},"action":{"exitCode":\#(failure.exit),"label":"//a:l","type":"Genrule",\#(detail)}}"#,
        #"{"id":{"targetCompleted":{"label":"//a:i"}},"children":[{"actionCompleted":{"label":"//a:l"}}],"completed":{\#(detail)}}"#,
        other, #"{"id":{"buildFinished":{}},"finished":{"exitCode":{"code":\#(failure.exit)}}}"#,
        Self.last,
      ], exit: Int32(failure.exit))
    #expect(result.remote == RemoteTrouble(failure.kind, reason: failure.reason))
    #expect(result.isTroubled && !result.excusesFailures)
    #expect(played.outcomes["//a:i"] == .skipped(reason: result.problem ?? ""))
    // Another target's own mistake stays its own.
    #expect(played.outcomes["//a:j"] == .failed(message: "no", causes: []))
  }

  @Test func `a program that writes of services is no service`() async throws {
    let result = try await played.build(
      "//a:i",
      events: [
        #"{"id":{"actionCompleted":{"label":"//a:i"}},"action":{"exitCode":1,"label":"//a:i","type":"Genrule","failureDetail":{"message":"bash failed: error executing command (cd /x; echo UNAVAILABLE: x)","spawn":{"code":"NON_ZERO_EXIT","spawnExitCode":34}}}}"#,
        #"{"id":{"targetCompleted":{"label":"//a:i"}},"children":[{"actionCompleted":{"label":"//a:i"}}],"completed":{"failureDetail":{"message":"bash failed: error executing command","spawn":{"code":"NON_ZERO_EXIT","spawnExitCode":34}}}}"#,
      ], exit: 1)
    #expect(result.remote == nil && !result.isTroubled)
  }
}
