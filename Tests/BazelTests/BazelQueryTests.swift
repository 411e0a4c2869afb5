import Graph
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Bazel
@testable import Processes

struct BazelQueryTests {
  /// One source file, as a query answers.
  private static let file: [UInt8] = [7, 0x1a, 5, 0x0a, 3, 0x2f, 0x2f, 0x61]

  @Test func `the index is one query that keeps going, whatever a bazelrc says of queries`()
    async throws
  {
    let runner = ScriptedRunner(standardOutput: Self.file)
    let images = try ["//a:b", "//c:d e"].map { try #require(Label($0)) }
    _ = try await bazel(runner).query(images) { _ in }
    #expect(
      runner.commands == [
        Command(
          "bazel",
          [
            "query", "--noshow_progress", "--noshow_timestamps", "--color=no", "--keep_going",
            "--output=streamed_proto", "--order_output=no", "--noproto:default_values",
            "--noproto:locations", "--proto:output_rule_attrs=none", "--implicit_deps",
            "--tool_deps", "--nodep_deps", "--include_aspects", "--aspect_deps=conservative",
            "--nostrict_test_suite", "--proto:rule_inputs_and_outputs", "--universe_scope=",
            "--noinfer_universe_scope", "--query_file=",
            #"let d = deps(set(//a:b "//c:d e")) in $d union buildfiles($d)"#,
          ], in: "/w")
      ])
  }

  @Test func `what others depend on is asked for in the same query`() async throws {
    let runner = ScriptedRunner(standardOutput: Self.file)
    _ = try await bazel(runner).query([#require(Label("//a:b"))], and: ["//toolchains:all"]) { _ in
    }
    #expect(
      runner.commands.map { $0.arguments.last } == [
        "let d = deps(set(//a:b) union //toolchains:all) in $d union buildfiles($d)"
      ])
  }

  @Test func `a query that succeeds and answers nothing is no empty graph`() async throws {
    let error = await #expect(throws: BazelError.self) {
      try await bazel(ScriptedRunner()).query([#require(Label("//a:b"))]) { _ in }
    }
    #expect(error?.problem.contains("answered nothing") == true)
  }

  @Test func `with modules, labels are asked for in one form, once where Bazel knows none`()
    async throws
  {
    let directory = try TemporaryDirectory()
    try directory.write("", to: "MODULE.bazel")
    let runner = ScriptedRunner { command, output in
      guard command.arguments.contains("--consistent_labels") else {
        output(.standardOutput(Self.file))
        return .exited(0)
      }
      output(
        .standardError(
          Array(
            "ERROR: --consistent_labels :: Unrecognized option: --consistent_labels\n".utf8)))
      return .exited(2)
    }
    let bazel = bazel(runner, in: directory.path)
    let image = try #require(Label("//a:b"))
    for _ in 0..<2 { _ = try await bazel.query([image]) { _ in } }
    func isConsistent() -> [Bool] {
      runner.commands.map { $0.arguments.contains("--consistent_labels") }
    }
    #expect(isConsistent() == [true, false, false])
    // Another Bazel may know it.
    try directory.write("8.5.0", to: ".bazelversion")
    _ = try await bazel.query([image]) { _ in }
    #expect(isConsistent() == [true, false, false, true, false])
  }

  @Test func `another refused option is the user's own`() async throws {
    let directory = try TemporaryDirectory()
    try directory.write("", to: "MODULE.bazel")
    let runner = ScriptedRunner(
      standardError: "ERROR: --mine :: Unrecognized option: --mine\n", exit: .exited(2))
    let error = await #expect(throws: BazelError.self) {
      try await bazel(runner, in: directory.path).query([]) { _ in }
    }
    #expect(error?.problem.contains("--mine") == true)
    #expect(runner.commands.count == 1)
  }

  @Test func `a partial answer keeps its diagnostics`() async throws {
    let runner = ScriptedRunner(
      standardOutput: Self.file,
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

  private func bazel(_ runner: ScriptedRunner, in workspace: FilePath = "/w") -> Bazel {
    Bazel(workspace: workspace, runner: runner, clock: ContinuousClock(), scratch: "/nowhere")
  }
}
