import Graph
import SystemPackage
import Testing
import Watcher

/// One image over a linked file, a linked directory and two other repositories.
@Suite struct SourceLinksTests {
  private func index() throws -> TargetIndex {
    var builder = TargetIndex.Builder(workspace: "/w")
    for entry: QueryEntry in [
      .rule(
        name: "//app:image", kind: "image",
        inputs: ["//app:link.txt", "//app:shared/s.txt", "@ext//sub:e.txt", "@flat//:f.txt"]),
      .rule(name: "//real:image", kind: "image", inputs: ["//real:r.txt"]),
      .sourceFile(name: "//app:BUILD", loads: ["@ext//:defs.bzl"]),
      .sourceFile(name: "//app:link.txt", loads: []),
      .sourceFile(name: "//app:shared/s.txt", loads: []),
      .sourceFile(name: "//real:BUILD", loads: []),
      .sourceFile(name: "//real:r.txt", loads: []),
      .sourceFile(name: "@ext//:BUILD", loads: []),
      .sourceFile(name: "@ext//:defs.bzl", loads: []),
      .rule(name: "@ext//sub:e", kind: "filegroup", inputs: ["@ext//sub:e.txt"]),
      .sourceFile(name: "@ext//sub:BUILD", loads: []),
      .sourceFile(name: "@ext//sub:e.txt", loads: []),
      .sourceFile(name: "@flat//:f.txt", loads: []),
      .sourceFile(name: "@flat//:BUILD.bazel", loads: []),
      .rule(name: "//app:uses", kind: "filegroup", inputs: ["@ext//sub:e"]),
      .rule(name: "//app:image", kind: "image", inputs: ["//app:uses"]),
    ] { builder.add(entry) }
    let images = try ["app", "real"].map {
      ImageTarget(
        name: $0, label: try #require(Label("//\($0):image")), key: BatchKey(workspace: "/w"))
    }
    var index = builder.build(images: images, workspaceFiles: ["@ext//deps.bzl"])
    typealias Place = SourceLinks.Place
    index.links.add(
      Place(path: "app/link.txt"), leadsTo: "/w/real/r.txt",
      over: ["/w/app/link.txt", "/elsewhere/hop.txt"])
    index.links.add(
      Place(path: "app/shared"), leadsTo: "/shared", over: ["/w/app/shared"])
    index.links.add(repository: "@ext", at: "/base/external/ext")
    index.links.add(Place(repository: "@ext", path: ""), leadsTo: "/w/third/ext", over: [])
    index.links.add(repository: "@flat", at: "/base/external/flat")
    index.links.add(Place(repository: "@flat", path: "f.txt"), leadsTo: "/flat/f.txt", over: [])
    index.links.add(Place(repository: "@flat", path: ""), leadsTo: "/flat", over: [])
    return index
  }

  @Test(arguments: [
    // The target of a linked file is a source of its own, too.
    ("/w/real/r.txt", FileChange.Kind.modified, ["app", "real"], false),
    ("/shared/s.txt", .modified, ["app"], false),
    ("/shared/s.txt", .deleted, ["app"], true),
    ("/shared/new.txt", .created, ["app"], true),
    ("/shared/other.txt", .modified, [], false),
    // A link that leads elsewhere.
    ("/w/app/link.txt", .modified, ["app"], true),
    ("/elsewhere/hop.txt", .modified, ["app"], true),
    ("/w/app/shared", .modified, ["app"], true),
    // Local repositories.
    ("/w/third/ext/sub/e.txt", .modified, ["app"], false),
    ("/w/third/ext/sub/BUILD", .modified, ["app"], true),
    ("/w/third/ext/sub/new.txt", .created, ["app"], true),
    ("/w/third/ext/defs.bzl", .modified, ["app"], true),
    ("/w/third/ext/deps.bzl", .modified, ["app", "real"], true),
    ("/w/third/ext/MODULE.bazel", .modified, ["app", "real"], true),
    ("/base/external/ext/sub/e.txt", .modified, ["app"], false),
    ("/flat/f.txt", .modified, ["app"], false),
    ("/flat2/f.txt", .modified, [], false),
  ])
  func `what lies behind a link is what the link is`(
    path: String, kind: FileChange.Kind, images: [String], isStale: Bool
  ) throws {
    let effect = try index().effect(of: FileChange(path: FilePath(path), kind: kind))
    #expect(effect == Effect(images: Set(images), isStale: isStale))
  }

  @Test func `a directory stands for the files that are reached over it`() throws {
    let changes = try index().changes(under: FileChange(path: "/shared", kind: .modified))
    #expect(changes.map(\.path) == ["/w/app/shared/s.txt"])
    let outside = try index().changes(under: FileChange(path: "/w/third/ext", kind: .modified))
    #expect(outside.count == 4)
  }

  @Test(arguments: [
    ("/w/app/other.txt", true), ("/w/app/BUILD", true), ("/w/real/new.txt", true),
    // Another place has it, too.
    ("/w/real/r.txt", false), ("/w/app/link.txt", false), ("/w/app/shared", false),
    ("/w/third/ext/x", false),
    // It lies elsewhere, or is read before all packages.
    ("/shared/s.txt", false), ("/base/external/ext/x", false), ("/w", false),
    ("/w/.bazelrc", false),
    ("/w/WORKSPACE", false),
  ])
  func `a path is plain where the main repository alone has it`(path: String, isPlain: Bool) throws
  {
    #expect(try index().isPlain(FilePath(path)) == isPlain)
  }
}
