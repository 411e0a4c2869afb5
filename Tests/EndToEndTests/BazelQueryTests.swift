import Bazel
import Graph
import Processes
import Synchronization
import TestSupport
import Testing

private let longName = String(repeating: "n", count: 200)

@Suite(
  .serialized, .bazel, .timeLimit(.minutes(10)), .eachBazelInEveryWay,
  .bazelServer([
    "rules/image.bzl": """
    load(":common.bzl", "SUFFIX")
    def _impl(ctx):
        out = ctx.actions.declare_file(ctx.label.name + SUFFIX)
        ctx.actions.run_shell(
            inputs = ctx.files.srcs, outputs = [out], command = "cat $1 > $2",
            arguments = [ctx.files.srcs[0].path, out.path])
        return [DefaultInfo(files = depset([out]))]
    oci_image = rule(implementation = _impl, attrs = {"srcs": attr.label_list(allow_files = True)})
    oci_load = rule(implementation = _impl, attrs = {"srcs": attr.label_list(allow_files = True)})
    """,
    "rules/common.bzl": "SUFFIX = \".tar\"\n",
    "rules/BUILD": "",
    "lib/BUILD": """
    genrule(
        name = "lib", srcs = glob(["*.txt"]), outs = ["lib.out"], cmd = "cat $(SRCS) > $@",
        visibility = ["//visibility:public"])
    """,
    "lib/a.txt": "a",
    "app/BUILD": """
    load("//rules:image.bzl", "oci_image", "oci_load")
    oci_image(name = "image", srcs = ["//lib"])
    oci_load(name = "load", srcs = [":image"], tags = ["manual"])
    oci_image(name = "alone", srcs = ["//lib"])
    genrule(
        name = "tagged", srcs = ["//lib"], outs = ["tagged.tar"], cmd = "cp $< $@",
        tags = ["watchbuild", "x"])
    genrule(
        name = "similar", srcs = ["//lib"], outs = ["similar.tar"], cmd = "cp $< $@",
        tags = ["notwatchbuildish"])
    """,
    "long/BUILD":
      "genrule(name = \"\(longName)\", outs = [\"o\"], cmd = \"touch $@\")\n",
    "broken/BUILD": "genrule(name=\"x\", srcs=[\"y\" outs=[\"z\"])\n",
  ]))
struct BazelQueryTests {
  private let bazel: Bazel

  init() throws { bazel = try #require(BazelServer.workspace).bazel() }

  @Test func `the index query tells rules, sources, and what BUILD files load`() async throws {
    let entries = Mutex<Set<QueryEntry>>([])
    let answer = try await bazel.query([try #require(Label("//app:load"))]) { entry in
      entries.withLock { _ = $0.insert(Self.canonical(entry)) }
    }
    #expect(!answer.isPartial)
    #expect(answer.diagnostics == [])
    #expect(answer.duration > .zero)
    let found = entries.withLock { $0 }
    #expect(found.contains(.rule(name: "//app:load", kind: "oci_load", inputs: ["//app:image"])))
    #expect(found.contains(.rule(name: "//app:image", kind: "oci_image", inputs: ["//lib:lib"])))
    #expect(found.contains(.sourceFile(name: "//lib:a.txt", loads: [])))
    #expect(found.contains(.sourceFile(name: "//lib:BUILD", loads: [])))
    #expect(
      found.contains(
        .sourceFile(name: "//app:BUILD", loads: ["//rules:common.bzl", "//rules:image.bzl"]))
        || found.contains(
          .sourceFile(name: "//app:BUILD", loads: ["//rules:image.bzl", "//rules:common.bzl"]))
    )
    #expect(found.contains(.sourceFile(name: "//rules:common.bzl", loads: [])))
  }

  /// Labels as the index has them: a newer Bazel writes those of the main repository with `@@`.
  private static func canonical(_ entry: QueryEntry) -> QueryEntry {
    func text(_ label: String) -> String { Label(label)?.description ?? label }
    return switch entry {
    case .rule(let name, let kind, let inputs):
      .rule(name: text(name), kind: kind, inputs: inputs.map(text))
    case .sourceFile(let name, let loads):
      .sourceFile(name: text(name), loads: loads.map(text))
    case .generatedFile(let name, let rule):
      .generatedFile(name: text(name), rule: text(rule))
    }
  }

  @Test func `a broken package leaves the answer partial and names the file`() async throws {
    let count = Mutex(0)
    let images = try ["//app:load", "//broken:x"].map { try #require(Label($0)) }
    let answer = try await bazel.query(images) { _ in count.withLock { $0 += 1 } }
    #expect(answer.isPartial)
    #expect(answer.diagnostics.map(\.file) == ["broken/BUILD"])
    #expect(answer.diagnostics.first?.line == 1)
    #expect(answer.problem?.contains("syntax error") == true)
    #expect(count.withLock { $0 } > 5)
  }

  @Test func `a list of images too long for a command line is answered`() async throws {
    let label = try #require(Label("//long:\(longName)"))
    let count = Mutex(0)
    let answer = try await bazel.query(Array(repeating: label, count: 1000)) { _ in
      count.withLock { $0 += 1 }
    }
    #expect(!answer.isPartial)
    #expect(count.withLock { $0 } > 2)
  }

  @Test func `image targets are found by kind and by tag`() async throws {
    let updates = BuildUpdates()
    let found = try await bazel.findImages(in: [.everything], update: updates.add)
    #expect(found.images.map(\.label.description) == ["//app:alone", "//app:load", "//app:tagged"])
    #expect(found.images.map(\.reason) == [.kind("oci_image"), .kind("oci_load"), .tag])
    #expect(found.isPartial)
    #expect(updates.diagnostics.map(\.file) == ["broken/BUILD"])
  }

  @Test func `a query expression is expanded`() async throws {
    let found = try await bazel.expand(#"kind("oci_image", //app/...)"#)
    #expect(found.labels.map(\.description) == ["//app:alone", "//app:image"])
  }

  @Test func `a query that is none says what Bazel says`() async throws {
    let error = try await #require(throws: BazelError.self) {
      try await bazel.expand("kind(oci_image //app")
    }
    #expect(error.exitCode == 2)
    #expect(error.problem.contains("kind(oci_image"))
  }
}

@Suite(.bazel, .timeLimit(.minutes(5)), .eachBazel)
struct BazelAbsentTests {
  @Test func `no bazel in PATH is said with what to do`() async throws {
    let workspace = try BazelWorkspace()
    let bazel = try workspace.bazel(executable: "no-such-bazel")
    let error = await #expect(throws: CommandError.self) {
      try await bazel.build(BuildRequest(targets: []), update: { _ in })
    }
    #expect(error == .notFound("no-such-bazel"))
    await workspace.end()
  }

  @Test func `a directory that is no workspace is Bazel's problem to tell`() async throws {
    let workspace = try BazelWorkspace()
    workspace.remove(workspace.marker)
    let bazel = try workspace.bazel()
    let result = try await bazel.build(
      BuildRequest(targets: [#require(Label("//a:b"))]), update: { _ in })
    #expect(result.exitCode == 2)
    #expect(result.problem?.contains("only supported from within a workspace") == true)
    await workspace.end()
  }
}
