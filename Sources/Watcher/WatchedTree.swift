/// The directories that are watched, and what is known of their entries. Values only, no disk.
///
/// A directory is a node; its name is kept once, in its parent's records. An *anchor* is a node
/// without a parent: the workspace's root, and directories outside it.
struct WatchedTree {
  typealias ID = Int32

  enum Mode: UInt8 {
    /// With all that is below, packages of their own included.
    case tree
    /// Below a tree: with what is below, unless it turns out to be a package of its own.
    case inner
    /// Itself only.
    case flat
  }

  struct Node {
    // First, so that the small fields that follow fill its last word.
    var records = FileRecords()
    var parent: ID
    /// Where the parent's records have the name.
    var nameOffset: UInt32
    /// The watch descriptor, or -1.
    var watch: Int32 = -1
    /// Tells the directory that was recorded from another under its name. 0: unknown.
    var identity: UInt32 = 0
    var mode: Mode
    var isAlive = true
  }

  private(set) var nodes: [Node] = []
  private var free: [ID] = []
  /// Node plus one by watch descriptor. The kernel counts descriptors up from 1.
  private var nodesByWatch: [ID] = []
  private(set) var anchors: [ID: [UInt8]] = [:]
  /// Directories in the tree, watched or not.
  private(set) var count = 0
  /// Directories that have a watch.
  private(set) var watchCount = 0

  subscript(id: ID) -> Node {
    _read { yield nodes[Int(id)] }
    _modify { yield &nodes[Int(id)] }
  }

  func isAlive(_ id: ID) -> Bool { nodes.indices.contains(Int(id)) && nodes[Int(id)].isAlive }

  // MARK: Directories join and leave

  mutating func addAnchor(_ path: [UInt8], mode: Mode) -> ID {
    let id = add(Node(parent: -1, nameOffset: 0, mode: mode))
    anchors[id] = path
    return id
  }

  /// Gives a directory's entry, at this offset in its parent's records, a node.
  mutating func addChild(of parent: ID, entry: Int, mode: Mode) -> ID {
    let id = add(Node(parent: parent, nameOffset: UInt32(entry), mode: mode))
    self[parent].records[entry].value = UInt64(id + 1)
    return id
  }

  /// Removes one node, and its entry's link. Its children must have gone before it.
  mutating func remove(_ id: ID) {
    clearWatch(id)
    let node = self[id]
    if node.parent >= 0, isAlive(node.parent) {
      let entry = Int(node.nameOffset)
      if self[node.parent].records[entry].value == UInt64(id + 1) {
        self[node.parent].records[entry].value = 0
      }
    }
    anchors[id] = nil
    self[id] = Node(parent: -1, nameOffset: 0, mode: .flat, isAlive: false)
    free.append(id)
    count -= 1
  }

  private mutating func add(_ node: Node) -> ID {
    count += 1
    if let id = free.popLast() {
      self[id] = node
      return id
    }
    nodes.append(node)
    return ID(nodes.count - 1)
  }

  /// The node of a directory's entry, where it has one.
  func child(_ entry: FileRecords.Entry) -> ID? {
    entry.flags.contains(.directory) && entry.value > 0 ? ID(entry.value - 1) : nil
  }

  func children(of id: ID) -> [ID] {
    var children: [ID] = []
    self[id].records.forEach { _, entry in if let child = child(entry) { children.append(child) } }
    return children
  }

  /// Gives back room that removed entries took, once it is worth it.
  mutating func compactRecords(of id: ID) {
    guard self[id].records.isWorthCompacting else { return }
    compact(id)
  }

  /// Gives back all spare room of the node's records.
  mutating func compact(_ id: ID) {
    self[id].records.compact()
    var moved: [(ID, Int)] = []
    self[id].records.forEach { offset, entry in
      if let child = child(entry) { moved.append((child, offset)) }
    }
    for (child, offset) in moved { self[child].nameOffset = UInt32(offset) }
  }

  // MARK: Watches

  func node(forWatch watch: Int32) -> ID? {
    guard nodesByWatch.indices.contains(Int(watch)) else { return nil }
    let id = nodesByWatch[Int(watch)] - 1
    return id >= 0 ? id : nil
  }

  mutating func setWatch(_ watch: Int32, of id: ID) {
    while nodesByWatch.count <= Int(watch) { nodesByWatch.append(0) }
    nodesByWatch[Int(watch)] = id + 1
    self[id].watch = watch
    watchCount += 1
  }

  mutating func clearWatch(_ id: ID) {
    let watch = self[id].watch
    guard watch >= 0 else { return }
    nodesByWatch[Int(watch)] = 0
    self[id].watch = -1
    watchCount -= 1
  }

  /// Forgets all watches, because the instance that they belong to is gone.
  mutating func clearWatches() {
    nodesByWatch.removeAll(keepingCapacity: true)
    watchCount = 0
    for index in nodes.indices { nodes[index].watch = -1 }
  }

  // MARK: Paths

  /// Appends the directory's path, without a slash at its end.
  func appendPath(of id: ID, to bytes: inout [UInt8]) {
    let node = self[id]
    guard node.parent >= 0 else {
      bytes.append(contentsOf: anchors[id] ?? [])
      return
    }
    appendPath(of: node.parent, to: &bytes)
    bytes.append(UInt8(ascii: "/"))
    self[node.parent].records.withName(at: Int(node.nameOffset)) { bytes.append(contentsOf: $0) }
  }

  /// The anchor that a directory is under.
  func anchor(of id: ID) -> ID {
    var id = id
    while self[id].parent >= 0 { id = self[id].parent }
    return id
  }
}
