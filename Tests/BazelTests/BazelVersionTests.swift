import Glibc
import Graph
import SystemPackage
import TestSupport
import Testing

@testable import Bazel

/// What is made of the events that different versions of Bazel write.
struct BazelVersionTests {
  private let played: PlayedBuild

  init() throws { played = try PlayedBuild() }

  /// What one version of Bazel writes of a build of `//a:b` that succeeds and `//a:c` that fails.
  struct Recording: Sendable, CustomTestStringConvertible {
    var version: String
    var lines: [String]

    var testDescription: String { "Bazel \(version)" }
  }

  static let failing = [
    #"{"id":{"actionCompleted":{"primaryOutput":"bazel-out/k8-fastbuild/bin/a/c.tar","label":"LABELc","configuration":{"id":"f5"}}},"action":{"exitCode":1,"label":"LABELc","type":"Genrule","failureDetail":{"message":"bash failed: error executing command","spawn":{"code":"NON_ZERO_EXIT","spawnExitCode":7}}}}"#,
    #"{"id":{"targetCompleted":{"label":"LABELc","configuration":{"id":"f5"}}},"children":[{"actionCompleted":{"label":"LABELc"}}],"completed":{"failureDetail":{"message":"bash failed"}}}"#,
    #"{"id":{"buildFinished":{}},"finished":{"exitCode":{"name":"BUILD_FAILURE","code":1}}}"#,
    #"{"id":{"buildToolLogs":{}},"lastMessage":true,"buildToolLogs":{}}"#,
  ]

  static let recordings = [
    // The file itself beside the target, and its set.
    Recording(
      version: "5",
      lines: [
        #"{"id":{"started":{}},"children":[],"started":{"uuid":"1","buildToolVersion":"5.4.1"}}"#,
        #"{"id":{"namedSet":{"id":"0"}},"namedSetOfFiles":{"files":[{"name":"a/b.tar","uri":"file:///x/bin/a/b.tar","pathPrefix":["bazel-out","k8-fastbuild","bin"]}]}}"#,
        #"{"id":{"targetCompleted":{"label":"LABELb","configuration":{"id":"f5"}}},"completed":{"success":true,"outputGroup":[{"name":"default","fileSets":[{"id":"0"}]}],"importantOutput":[{"name":"a/b.tar","uri":"file:///x/bin/a/b.tar"}]}}"#,
      ]),
    // Files with digest and length; sets in sets.
    Recording(
      version: "6",
      lines: [
        #"{"id":{"started":{}},"started":{"buildToolVersion":"6.5.0","startTime":"2026-11-21T06:00:00Z"}}"#,
        #"{"id":{"namedSet":{"id":"1"}},"namedSetOfFiles":{"files":[{"name":"a/b.tar","uri":"file:///x/bin/a/b.tar","pathPrefix":["bazel-out","k8-fastbuild","bin"],"digest":"e816","length":"360"}]}}"#,
        #"{"id":{"namedSet":{"id":"2"}},"namedSetOfFiles":{"fileSets":[{"id":"1"}]}}"#,
        #"{"id":{"targetCompleted":{"label":"LABELb","configuration":{"id":"f5"}}},"completed":{"success":true,"outputGroup":[{"name":"default","fileSets":[{"id":"2"}]}],"importantOutput":[{"name":"a/b.tar","uri":"file:///x/bin/a/b.tar"}]}}"#,
      ]),
    // With a remote cache and without the bytes: found below the execution root.
    Recording(
      version: "7",
      lines: [
        #"{"id":{"workspace":{}},"workspaceInfo":{"localExecRoot":"/x"}}"#,
        #"{"id":{"namedSet":{"id":"0"}},"namedSetOfFiles":{"files":[{"name":"a/b.tar","uri":"bytestream://cache/blobs/e816/360","pathPrefix":["bin"],"digest":"e816","length":"360"}]}}"#,
        #"{"id":{"targetCompleted":{"label":"LABELb","configuration":{"id":"f5"}}},"completed":{"success":true,"outputGroup":[{"name":"default","fileSets":[{"id":"0"}]}]}}"#,
      ]),
    // No more important outputs, and files in the group itself.
    Recording(
      version: "8",
      lines: [
        #"{"id":{"targetSummary":{"label":"LABELb"}},"targetSummary":{"overallBuildSuccess":true}}"#,
        #"{"id":{"targetCompleted":{"label":"LABELb","configuration":{"id":"f5"}}},"completed":{"success":true,"outputGroup":[{"name":"default","inlineFiles":[{"name":"a/b.tar","uri":"file:///x/bin/a/b.tar","digest":"e816"}]}]}}"#,
      ]),
    Recording(
      version: "9",
      lines: [
        #"{"id":{"execRequest":{}},"execRequest":{"argv":[]}}"#,
        #"{"id":{"namedSet":{"id":"0"}},"namedSetOfFiles":{"files":[{"name":"a/b.tar","uri":"file:///x/bin/a/b.tar","pathPrefix":["bazel-out","k8-fastbuild","bin"],"digest":"e816","length":"360"}]}}"#,
        #"{"id":{"targetCompleted":{"label":"LABELb","configuration":{"id":"f5"}}},"completed":{"success":true,"outputGroup":[{"name":"default","fileSets":[{"id":"0"}],"incomplete":false}],"targetKind":"genrule rule"}}"#,
      ]),
  ]

  @Test(arguments: recordings, ["//a:", "@//a:", "@@//a:"])
  func `the events of every version of Bazel come to the same outcomes`(
    _ recording: Recording, prefix: String
  ) async throws {
    let result = try await played.build(
      "//a:b", "//a:c",
      events: (recording.lines + Self.failing).map { $0.replacing("LABEL", with: prefix) }, exit: 1)
    #expect(result == BuildResult(exitCode: 1))
    let failed = try #require(Label("//a:c"))
    #expect(
      played.outcomes == [
        "//a:b": .built(outputs: ["default": ["/x/bin/a/b.tar"]]),
        "//a:c": .failed(message: "Genrule of //a:c failed with exit code 7", causes: [failed]),
      ])
  }
}
