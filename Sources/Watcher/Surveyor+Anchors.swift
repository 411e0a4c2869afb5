/// The directory that a path leads to.
struct Stand: Equatable {
  var inode: UInt64
  var device: UInt64

  init(_ status: FileStatus) {
    inode = status.inode
    device = status.device
  }
}

/// Paths that come to lead to another directory.
extension Surveyor {
  /// The paths of the plan's anchors, so that they are known before the first visit.
  var anchorPaths: [[UInt8]] { plan.anchors.map { Self.anchorBytes($0.path) } }

  /// An anchor's directory has been opened: it is there, perhaps again, perhaps another one.
  func arrived(at directory: Int32, _ id: ID) {
    guard let status = FileStatus(descriptor: directory) else { return }
    let earlier = stands.updateValue(Stand(status), forKey: id)
    let wasLost = lost.remove(id) != nil
    guard id == root, wasLost || (earlier.map { $0 != Stand(status) } ?? false) else { return }
    found.append(.rootReturned(plan.scope.root))
  }

  /// Visits the anchors whose paths lead elsewhere than they did, and those that were lost.
  func lookAtAnchors() {
    for id in tree.anchors.keys.sorted() {
      guard !lost.contains(id) else {
        visit(id, isReporting: true)
        continue
      }
      enter(id)
      let here = withPath { FileStatus(following: $0) }.map(Stand.init)
      if here != stands[id] { lookAnew(id) }
    }
  }

  /// There is, or may be, another directory under a node's path. All its files are told again.
  func lookAnew(_ id: ID) {
    unwatch(below: id)
    for node in subtree(id) {
      // No directory has this one, so that change times are not taken for the same files'.
      tree[node].identity = 0
      failures[node] = nil
    }
    visit(id, isReporting: true)
  }

  // MARK: Mounts

  /// Acts on that something else is to be seen at a place.
  ///
  /// - Returns: Whether the place is watched.
  func remounted(at point: [UInt8]) -> Bool {
    switch place(of: point) {
    case .directory(let id)?:
      lookAnew(id)
    case .file(let id, let offset)?:
      enter(id)
      tree[id].records[offset] = Entry(flags: [.fingerprinted, .racy], value: 0)
      let name = tree[id].records.withName(at: offset) { Array($0) }
      name.withUnsafeBufferPointer { report($0, .modified) }
    case nil: return false
    }
    return true
  }

  /// Polls the directories in which a file is mounted from elsewhere: their watches don't tell of it.
  func pollMountedFiles(_ mounts: MountTable) {
    for (id, error) in failures where error == Shortfall.holdsMountedFile { failures[id] = nil }
    for mount in mounts.mounts {
      guard case .file(let id, _)? = place(of: mount.point), failures[id] == nil else { continue }
      failures[id] = Shortfall.holdsMountedFile
    }
  }

  private enum Place {
    case directory(ID)
    case file(ID, offset: Int)
  }

  /// The place of a path in the tree; `nil` where it is not watched.
  private func place(of path: [UInt8]) -> Place? {
    let above = tree.anchors.filter { path.isBelow($0.value) }
    guard let anchor = above.max(by: { $0.value.count < $1.value.count }) else {
      return tree.anchors.first { $0.value == path }.map { .directory($0.key) }
    }
    var id = anchor.key
    let names = Array(path[anchor.value.count...]).names
    for (number, name) in names.enumerated() {
      guard let offset = name.withUnsafeBufferPointer({ tree[id].records.offset(of: $0) })
      else { return nil }
      let entry = tree[id].records[offset]
      guard entry.flags.contains(.directory) else {
        return number == names.count - 1 ? .file(id, offset: offset) : nil
      }
      guard let child = tree.child(entry) else { return nil }
      id = child
    }
    return .directory(id)
  }
}

extension [UInt8] {
  func isBelow(_ directory: [UInt8]) -> Bool {
    count > directory.count && starts(with: directory) && self[directory.count] == UInt8(ascii: "/")
  }
}
