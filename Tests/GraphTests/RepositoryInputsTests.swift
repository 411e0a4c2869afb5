import Graph
import SystemPackage
import Testing
import Watcher

/// What rules that make other repositories have read.
@Suite struct RepositoryInputsTests {
  private let index: TargetIndex

  init() throws {
    var builder = TargetIndex.Builder(workspace: "/w")
    builder.add(.rule(name: "//a:image", kind: "image", inputs: []))
    let image = ImageTarget(
      name: "a", label: try #require(Label("//a:image")), key: BatchKey(workspace: "/w"))
    var index = builder.build(images: [image])
    index.inputs = RepositoryInputs(
      files: ["requirements.txt", "/etc/release", "@ext//x.bzl"], listings: ["third", "/list"],
      trees: ["patches"])
    index.links.add(repository: "@ext", at: "/ext")
    self.index = index
  }

  @Test(arguments: [
    ("/w/requirements.txt", FileChange.Kind.modified), ("/w/requirements.txt", .deleted),
    ("/etc/release", .modified), ("/ext/x.bzl", .modified), ("/w/third/new.txt", .created),
    ("/w/third/old.txt", .deleted), ("/list/new", .created), ("/w/patches/deep/x.patch", .modified),
    ("/w/patches", .modified), ("/w/vendor/VENDOR.bazel", .modified), ("/w/.bazeliskrc", .created),
    ("/w/platform_mappings", .modified),
  ])
  func `a change of what a repository is made of affects all images and the graph`(
    path: String, kind: FileChange.Kind
  ) {
    let effect = index.effect(of: FileChange(path: FilePath(path), kind: kind))
    #expect(effect == Effect(images: ["a"], isStale: true))
  }

  @Test(arguments: [
    ("/w/sub/requirements.txt", FileChange.Kind.modified), ("/w/third/old.txt", .modified),
    ("/w/third/deep/new.txt", .created), ("/w/patches2/x", .created), ("/etc/other", .modified),
    ("/release", .modified),
  ])
  func `what lies beside it does not`(path: String, kind: FileChange.Kind) {
    #expect(index.effect(of: FileChange(path: FilePath(path), kind: kind)) == Effect())
  }

  @Test func `a tree may be the workspace itself`() {
    var index = index
    index.inputs.trees = [""]
    let change = FileChange(path: "/w/any/x", kind: .modified)
    #expect(index.effect(of: change).isStale)
    #expect(index.effect(of: FileChange(path: "/any/x", kind: .modified)) == Effect())
  }
}
