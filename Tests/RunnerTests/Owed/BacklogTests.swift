import Batching
import Graph
import Runner
import SystemPackage
import Testing
import Watcher

@Suite struct BacklogTests {
  private func image(_ name: String) throws -> ImageTarget {
    ImageTarget(
      name: name, label: try #require(Label("//\(name):image")), key: BatchKey(workspace: "/w"))
  }

  private func index(of images: [ImageTarget], isPartial: Bool = false) -> TargetIndex {
    var builder = TargetIndex.Builder(workspace: "/w")
    for image in images {
      builder.add(
        .rule(
          name: image.label.description, kind: "image", inputs: ["//\(image.label.package):x"]))
      builder.add(.sourceFile(name: "//\(image.label.package):x", loads: []))
      builder.add(.sourceFile(name: "//\(image.label.package):BUILD", loads: []))
    }
    return builder.build(images: images, isPartial: isPartial)
  }

  private func change(_ path: String, _ kind: FileChange.Kind = .modified) -> Batch {
    Batch(cause: .change, changes: [FileChange(path: FilePath(path), kind: kind)])
  }

  @Test func `without an index any change may affect any image`() throws {
    var backlog = Backlog(images: [try image("a"), try image("b")])
    let effect = backlog.receive(change("/w/README.md"))
    #expect(effect == Effect(images: ["a", "b"], isStale: true))
  }

  @Test func `with an index only what is affected is owed`() throws {
    let images = [try image("a"), try image("b")]
    var backlog = Backlog(images: images)
    backlog.adopt(index(of: images))
    backlog.receive(change("/w/b/x"))
    #expect(backlog.pending.names == ["b"])
    #expect(backlog.stale.isEmpty)
  }

  @Test func `a BUILD file's change makes the index stale until there is another`() throws {
    let images = [try image("a")]
    var backlog = Backlog(images: images)
    backlog.adopt(index(of: images))
    backlog.receive(change("/w/a/BUILD"))
    #expect(backlog.stale.keys.map(\.string) == ["/w"])
    backlog.adopt(index(of: images))
    #expect(backlog.stale.isEmpty)
  }

  @Test func `while Bazel can't tell the graph, any change may affect any image`() throws {
    let images = [try image("a"), try image("b")]
    var backlog = Backlog(images: images)
    backlog.adopt(index(of: images))
    backlog.receive(change("/w/a/BUILD"))
    backlog.indexFailed(in: ["/w"])
    #expect(backlog.receive(change("/w/notes.txt")).images == ["a", "b"])
  }

  @Test func `an overflow makes the index stale and every image owed`() throws {
    let images = [try image("a")]
    var backlog = Backlog(images: images)
    backlog.adopt(index(of: images))
    let effect = backlog.receive(Batch(cause: .overflow, affectsEverything: true))
    #expect(effect == Effect(images: ["a"], isStale: true))
  }

  @Test func `a new image is owed, a removed one forgotten, the rest kept`() throws {
    var backlog = Backlog(images: [try image("a"), try image("b")])
    backlog.adopt(index(of: backlog.images))
    backlog.receive(change("/w/b/x"))
    backlog.configure([try image("b"), try image("c")])
    #expect(backlog.pending.names == ["b", "c"])
  }

  @Test func `a request for an unknown image is no debt`() throws {
    var backlog = Backlog(images: [try image("a")])
    backlog.receive(Batch(cause: .trigger, requested: ["a", "gone"]))
    #expect(backlog.pending.names == ["a"])
  }
}
