import Batching
import Graph
import SystemPackage
import TestSupport
import Testing
import Watcher

@testable import Runner

@Suite struct UnwatchedChangesTests {
  @Test func `files of another repository count that changed since, and no others`() throws {
    let directory = try TemporaryDirectory()
    try directory.write("1", to: "ext/old.txt")
    try directory.write("1", to: "ext/sub/new.txt")
    try directory.write("1", to: "ext/unread.txt")
    let root = directory.path.appending("ext").string
    var builder = TargetIndex.Builder(workspace: "/w")
    builder.add(
      .rule(
        name: "//a:image", kind: "image",
        inputs: ["@ext//:old.txt", "@ext//sub:new.txt", "@ext//:gone.txt", "@other//:new.txt"]))
    for file in ["@ext//:old.txt", "@ext//sub:new.txt", "@ext//:gone.txt", "@other//:new.txt"] {
      builder.add(.sourceFile(name: file, loads: []))
    }
    let image = ImageTarget(
      name: "a", label: try #require(Label("//a:image")), key: BatchKey(workspace: "/w"))
    var index = builder.build(images: [image])
    index.links.add(
      SourceLinks.Place(repository: "@ext", path: ""), leadsTo: root, over: [])
    let future = try Double(Tool.run("date", ["+%s"]).split(separator: "\n")[0]).map { $0 + 60 }
    #expect(UnwatchedChanges.find(in: index, since: try #require(future)).isEmpty)
    let all = UnwatchedChanges.find(in: index, since: 0.5)
    #expect(all.map(\.path) == [FilePath("\(root)/old.txt"), FilePath("\(root)/sub/new.txt")])
  }
}
