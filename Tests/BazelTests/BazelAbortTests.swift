import Graph
import TestSupport
import Testing

@testable import Bazel

/// What becomes of targets that Bazel gave up.
struct BazelAbortTests {
  private let played: PlayedBuild

  init() throws { played = try PlayedBuild() }

  private static let finished =
    #"{"id":{"buildFinished":{}},"finished":{"exitCode":{"name":"BUILD_FAILURE","code":1}}}"#

  @Test func `a reason that comes later counts`() async throws {
    let result = try await played.build(
      "//a:i",
      events: [
        #"{"id":{"targetCompleted":{"label":"//a:i"}},"aborted":{}}"#,
        #"{"id":{"targetCompleted":{"label":"//a:i"}},"completed":{"failureDetail":{"message":"really"}}}"#,
        Self.finished,
      ], exit: 1)
    #expect(result.problem == nil)
    #expect(played.outcomes == ["//a:i": .failed(message: "really", causes: [])])
  }

  @Test func `a target without any reason has failed`() async throws {
    _ = try await played.build(
      "//a:i", "//a:j",
      events: [
        #"{"id":{"targetCompleted":{"label":"//a:j"}},"completed":{"success":true}}"#,
        Self.finished, #"{"id":{"targetCompleted":{"label":"//a:i"}},"aborted":{}}"#,
        #"{"id":{"targetCompleted":{"label":"//a:k"}},"aborted":{"reason":"UNKNOWN"}}"#,
      ], error: "ERROR: command succeeded, but not all targets were analyzed\n", exit: 1)
    #expect(
      played.outcomes["//a:i"]
        == .failed(
          message: "command succeeded, but not all targets were analyzed", causes: []))
  }

  @Test func `an analysis that failed in Bazel 7 is explained by what it depends on`() async throws
  {
    _ = try await played.build(
      "//n:dev", "//a:j",
      events: [
        #"{"id":{"configuredLabel":{"label":"//n/p:p"}},"aborted":{"reason":"ANALYSIS_FAILURE","description":"no such package 'n/p': BUILD file not found\n - /w/n/p"}}"#,
        #"{"id":{"targetConfigured":{"label":"//n:dev"}},"children":[{"configuredLabel":{"label":"//n/p:p"}}],"aborted":{"reason":"ANALYSIS_FAILURE"}}"#,
        #"{"id":{"buildFinished":{}},"finished":{"exitCode":{"name":"PARSING_FAILURE","code":1}}}"#,
        #"{"id":{"targetConfigured":{"label":"//a:j"}},"aborted":{"reason":"INCOMPLETE"}}"#,
        #"{"id":{"targetCompleted":{"label":"//n:dev"}},"aborted":{},"lastMessage":true}"#,
      ], exit: 1)
    let cause = try #require(Label("//n/p:p"))
    #expect(
      played.outcomes == [
        "//n:dev": .failed(message: "no such package 'n/p': BUILD file not found", causes: [cause]),
        "//a:j": .skipped(reason: "another target failed first"),
      ])
  }

  @Test func `an image for another platform is told with Bazel's sentence`() async throws {
    let sentence =
      "Target //a:i is incompatible and cannot be built, but was explicitly requested."
    _ = try await played.build(
      "//a:i",
      events: [
        #"{"id":{"targetConfigured":{"label":"//a:i"}},"aborted":{"reason":"ANALYSIS_FAILURE"}}"#,
        Self.finished, #"{"id":{"targetCompleted":{"label":"//a:i"}},"aborted":{}}"#,
      ], error: sentence + "\nERROR: command succeeded, but not all targets were analyzed\n",
      exit: 1)
    #expect(played.outcomes == ["//a:i": .incompatible(message: sentence)])
  }

  @Test func `an image that is skipped though all went well is told too`() async throws {
    let result = try await played.build(
      "//a:i", "//a:j",
      events: [
        #"{"id":{"targetCompleted":{"label":"//a:i"}},"aborted":{"reason":"SKIPPED","description":"Target //a:i build was skipped."}}"#,
        #"{"id":{"targetCompleted":{"label":"//a:j"}},"completed":{"success":true}}"#,
        #"{"id":{"buildFinished":{}},"finished":{"exitCode":{"name":"SUCCESS"}}}"#,
      ])
    #expect(!result.isTroubled)
    #expect(
      played.outcomes["//a:i"]
        == .incompatible(
          message:
            "Target //a:i build was skipped. Its target_compatible_with leaves this platform "
            + "out"))
  }
}
