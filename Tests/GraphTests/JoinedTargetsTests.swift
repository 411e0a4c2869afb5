import Graph
import SystemPackage
import Testing
import Watcher

/// Two images; a toolchain of //tc, registered, whose implementation reads //tools:pack.sh, which the
/// first image reads too.
@Suite struct JoinedTargetsTests {
  private func index(
    joined: [String], of labels: [String] = ["//a:image", "//b:image"]
  ) throws -> TargetIndex {
    var builder = TargetIndex.Builder(workspace: "/w")
    for entry: QueryEntry in [
      .rule(name: "//a:image", kind: "image", inputs: ["//tc:pack", "//a:a.txt"]),
      .rule(name: "//b:image", kind: "image", inputs: ["//b:b.txt"]),
      .rule(name: "//tc:tc", kind: "toolchain", inputs: ["//tc:type"]),
      .rule(name: "//tc:type", kind: "toolchain_type", inputs: []),
      .rule(name: "//tc:pack", kind: "pack", inputs: ["//tools:pack.sh"]),
      .rule(name: "@@other~//tc:x", kind: "toolchain", inputs: ["@@other~//tc:x.sh"]),
      .rule(name: "@@other~//:image", kind: "image", inputs: ["@@other~//:o.txt"]),
      .sourceFile(name: "//a:a.txt", loads: []), .sourceFile(name: "//b:b.txt", loads: []),
      .sourceFile(name: "//tools:pack.sh", loads: []), .sourceFile(name: "//tc:BUILD", loads: []),
      .sourceFile(name: "//tools:BUILD", loads: []), .sourceFile(name: "//b:BUILD", loads: []),
      .sourceFile(name: "@@other~//tc:x.sh", loads: []),
      .sourceFile(name: "@@other~//:o.txt", loads: []),
      .sourceFile(name: "@@other~//:BUILD", loads: []),
      .sourceFile(name: "@@other~//tc:BUILD", loads: []),
    ] { builder.add(entry) }
    var index = builder.build(
      images: try labels.map {
        let label = try #require(Label($0))
        return ImageTarget(
          name: String(label.package), label: label, key: BatchKey(workspace: "/w"))
      }, joined: Set(try joined.map { try #require(LabelPattern($0)) }))
    index.links.add(repository: "@@other~", at: "/other")
    return index
  }

  @Test(arguments: [
    (["//tc:all"], ["a", "b"]), (["//tc/..."], ["a", "b"]), (["//tc:pack"], ["a", "b"]),
    ([], ["a"]),
  ])
  func `what a registered toolchain is made of affects every image`(
    joined: [String], images: [String]
  ) throws {
    let change = FileChange(path: "/w/tools/pack.sh", kind: .modified)
    #expect(try index(joined: joined).effect(of: change).images == Set(images))
  }

  @Test func `what stays of one image's own`() throws {
    let change = FileChange(path: "/w/b/b.txt", kind: .modified)
    #expect(try index(joined: ["//tc:all"]).effect(of: change).images == ["b"])
  }

  @Test func `what was asked for under another name of its repository is joined too`() throws {
    let change = FileChange(path: "/other/tc/x.sh", kind: .modified)
    #expect(try index(joined: ["@theirs//tc:all"]).effect(of: change).images == ["a", "b"])
  }

  @Test func `the way that is shown is one of labels`() throws {
    let change = FileChange(path: "/w/tools/pack.sh", kind: .modified)
    #expect(
      try index(joined: ["//tc:all"]).explanation(of: change)["b"]
        == ["//tools:pack.sh", "//tc:pack", "//b:image"])
  }

  @Test func `an image of a repository that Bazel calls otherwise is found`() throws {
    let index = try index(joined: [], of: ["@theirs//:image"])
    let change = FileChange(path: "/other/o.txt", kind: .modified)
    #expect(index.effect(of: change).images == [""])
  }

  @Test(arguments: [
    ("//a:a.txt", ["a"]), ("//tc:pack", ["a"]), ("//b:image", ["b"]), ("@theirs//:o.txt", []),
    ("@@other~//:o.txt", []),
  ])
  func `a label is explained as its file is`(label: String, images: [String]) throws {
    let ways = try index(joined: []).explanation(of: #require(Label(label)))
    #expect(ways.map { Set($0.keys) } == Set(images))
  }

  @Test(arguments: ["//a:none", "@other//:none", "//none"])
  func `a label that nothing has is not explained`(label: String) throws {
    #expect(try index(joined: []).explanation(of: #require(Label(label))) == nil)
  }

  @Test(arguments: [
    ("/w/a/a.txt", true), ("/w/a", true), ("/w", true), ("/other/o.txt", true), ("/w/c", false),
    ("/w/a/none.txt", false), ("/elsewhere", false),
  ])
  func `paths of the graph are known, be they there or not`(path: String, isKnown: Bool) throws {
    #expect(try index(joined: []).knows(FilePath(path)) == isKnown)
  }
}
