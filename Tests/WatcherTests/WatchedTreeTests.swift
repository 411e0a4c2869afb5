import Testing

@testable import Watcher

@Suite struct WatchedTreeTests {
  private func child(
    _ name: String, of parent: WatchedTree.ID, in tree: inout WatchedTree
  )
    -> WatchedTree.ID
  {
    tree[parent].records.insert(name, Entry(flags: .directory, value: 0))
    guard let entry = tree[parent].records[name] else { preconditionFailure("just inserted") }
    return tree.addChild(of: parent, entry: entry, mode: .tree)
  }

  private func path(_ id: WatchedTree.ID, in tree: WatchedTree) -> String {
    var bytes: [UInt8] = []
    tree.appendPath(of: id, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func `a directory's path is made of its parents' names`() {
    var tree = WatchedTree()
    let root = tree.addAnchor(Array("/w".utf8), mode: .tree)
    let leaf = child("b", of: child("a", of: root, in: &tree), in: &tree)
    #expect(path(leaf, in: tree) == "/w/a/b")
  }

  @Test func `names survive compaction of their parent's records`() {
    var tree = WatchedTree()
    let root = tree.addAnchor(Array("/w".utf8), mode: .tree)
    for number in 0..<100 { tree[root].records.insert("file \(number)", Entry(seenAt: 0)) }
    let last = child("last", of: root, in: &tree)
    for number in 0..<100 {
      tree[root].records["file \(number)"].map { tree[root].records.remove(at: $0) }
    }
    tree.compactRecords(of: root)
    #expect(path(last, in: tree) == "/w/last")
  }

  @Test func `a watch leads to its directory until it is cleared`() {
    var tree = WatchedTree()
    let root = tree.addAnchor(Array("/w".utf8), mode: .tree)
    tree.setWatch(7, of: root)
    #expect(tree.node(forWatch: 7) == root)
    #expect(tree.node(forWatch: 6) == nil)
    tree.clearWatch(root)
    #expect(tree.node(forWatch: 7) == nil)
    #expect(tree.watchCount == 0)
  }

  @Test func `a removed directory leaves no link in its parent`() {
    var tree = WatchedTree()
    let root = tree.addAnchor(Array("/w".utf8), mode: .tree)
    let leaf = child("a", of: root, in: &tree)
    tree.remove(leaf)
    #expect(!tree.isAlive(leaf))
    #expect(tree.children(of: root).isEmpty)
    #expect(tree.count == 1)
  }
}
