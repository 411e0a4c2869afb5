import Batching
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Runner

struct BazelQueryTests {
  @Test func `the index is one query that keeps going`() async throws {
    let runner = ScriptedRunner()
    let images = try ["//a:b", "//c:d e"].map { try #require(Label($0)) }
    _ = try await bazel(runner).query(images) { _ in }
    #expect(
      runner.commands == [
        Command(
          "bazel",
          [
            "query", "--noshow_progress", "--color=no", "--keep_going", "--output=streamed_proto",
            "--order_output=no", "--noproto:default_values", "--noproto:locations",
            "--proto:output_rule_attrs=none",
            #"let d = deps(set(//a:b "//c:d e")) in $d union buildfiles($d)"#,
          ], in: "/w")
      ])
  }

  @Test func `a BUILD file whose loads Bazel does not tell loads all of the workspace`() {
    let entries: [QueryEntry] = [
      .sourceFile(name: "//rules:image.bzl", loads: []),
      .sourceFile(name: "@io//:io.bzl", loads: []),
      .sourceFile(name: "//a:BUILD.bazel", loads: []),
      .sourceFile(name: "//b:BUILD", loads: []),
      .sourceFile(name: "@io//:BUILD.bazel", loads: []),
    ]
    let assumed = entries.assumingLoads()
    #expect(
      assumed.filter { $0 == .sourceFile(name: "//a:BUILD.bazel", loads: ["//rules:image.bzl"]) }
        .count == 1)
    #expect(assumed.filter(entries.contains).count == 4)
  }

  @Test func `a partial answer keeps its diagnostics`() async throws {
    let runner = ScriptedRunner(
      standardOutput: [7, 0x1a, 5, 0x0a, 3, 0x2f, 0x2f, 0x61],
      standardError: """
        ERROR: /w/syn/BUILD:1:29: syntax error at 'outs'
        ERROR: package contains errors: syn

        """, exit: .exited(3))
    let entries = Mutex<[QueryEntry]>([])
    let answer = try await bazel(runner).query([]) { entry in
      entries.withLock { $0.append(entry) }
    }
    #expect(answer.isPartial)
    #expect(answer.diagnostics.map(\.file) == ["syn/BUILD"])
    #expect(answer.problem == "/w/syn/BUILD:1:29: syntax error at 'outs'")
    #expect(entries.withLock { $0 } == [.sourceFile(name: "//a", loads: [])])
  }

  @Test func `no answer is an error with what Bazel said`() async throws {
    let runner = ScriptedRunner(
      standardError: "ERROR: /w/a/BUILD:1:1: name 'x' is not defined\n", exit: .exited(7))
    let error = await #expect(throws: BazelError.self) {
      try await bazel(runner).query([]) { _ in }
    }
    #expect(error?.exitCode == 7)
    #expect(error?.problem.contains("name 'x' is not defined") == true)
    #expect(error?.diagnostics.map(\.file) == ["a/BUILD"])
  }

  @Test func `a held lock that is not waited for names its holder`() async throws {
    let runner = ScriptedRunner(
      standardError: "Another command (pid=999999999) is running. Exiting immediately.\n",
      exit: .exited(9))
    let error = await #expect(throws: BazelError.self) {
      try await bazel(runner).query([], waitsForLock: false) { _ in }
    }
    #expect(error?.isLockHeld == true)
    #expect(error?.problem.contains("pid 999999999") == true)
    #expect(runner.commands.first?.arguments.first == "--noblock_for_lock")
  }

  @Test func `an answer that is none is not taken for an empty one`() async throws {
    let runner = ScriptedRunner(standardOutput: Array("Downloading Bazel 9, please wait\n".utf8))
    let error = await #expect(throws: BazelError.self) {
      try await bazel(runner).query([]) { _ in }
    }
    #expect(error?.problem.contains("can't be read") == true)
  }

  @Test func `an image that a loader loads is not found twice`() throws {
    let images = FoundImage.images([
      rule("//a:image", "oci_image"),
      rule("//a:load", "oci_load", inputs: ["//a:image", "//tools:x"]),
      rule("//b:alone", "oci_image"),
      rule("//c:tagged", "oci_image", tags: ["watchbuild"]),
      rule("//c:load", "oci_tarball", inputs: ["@@//c:tagged"]),
      rule("//d:docker", "container_image"),
    ])
    #expect(
      images.map(\.label.description)
        == ["//a:load", "//b:alone", "//c:load", "//c:tagged", "//d:docker.tar"])
  }

  @Test(arguments: [
    ("oci_load", "tarball"), ("image_load", "tarball"), ("oci_tarball", nil), ("genrule", nil),
  ])
  func `output groups are known by kind`(kind: String, group: String?) {
    #expect(FoundImage.outputGroup(forKind: kind) == group)
  }

  private func rule(
    _ name: String, _ kind: String, inputs: [String] = [], tags: [String] = []
  ) -> QueryStream.Target {
    QueryStream.Target(entry: .rule(name: name, kind: kind, inputs: inputs), tags: tags)
  }

  private func bazel(_ runner: ScriptedRunner) -> Bazel {
    Bazel(workspace: "/w", runner: runner, clock: ContinuousClock(), scratch: "/nowhere")
  }
}
