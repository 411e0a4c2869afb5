import SystemPackage

/// Directories that leave.
extension Surveyor {
  /// The directory is not there: removes it from the tree, or waits for its return.
  func vanish(_ id: ID) {
    let node = tree[id]
    guard node.parent < 0 else {
      drop(id, isReporting: true)
      if tree.isAlive(node.parent) { tree[node.parent].records.remove(at: Int(node.nameOffset)) }
      return
    }
    unwatch(below: id)
    failures[id] = nil
    guard lost.insert(id).inserted else { return }
    if id == root {
      found.append(.rootLost(plan.scope.root))
    } else {
      clear(id)
    }
  }

  /// Forgets all that is in a directory, and reports it as deleted.
  private func clear(_ id: ID) {
    for child in tree.children(of: id) { drop(child, isReporting: true) }
    reportFiles(of: id)
    tree[id].records = FileRecords()
  }

  /// Forgets an entry's file, or its directory with all below it.
  func forget(_ entry: Entry, named name: FileRecords.Name, isReporting: Bool) {
    if let child = tree.child(entry) {
      drop(child, isReporting: isReporting)
    } else if isReporting, !entry.flags.contains(.directory) {
      report(name, .deleted)
    }
  }

  /// Removes a node and all below it. The entry in its parent stays, without a node.
  func drop(_ id: ID, isReporting: Bool) {
    let nodes = subtree(id)
    if isReporting {
      for node in nodes { reportFiles(of: node) }
    }
    for node in nodes.reversed() {
      if tree[node].watch >= 0 { notifier.unwatch(tree[node].watch) }
      failures[node] = nil
      lost.remove(node)
      stands[node] = nil
      tree.remove(node)
    }
    current = -1
  }

  /// Reports every file of a directory as deleted.
  private func reportFiles(of id: ID) {
    enter(id)
    var files: [Int] = []
    tree[id].records.forEach { offset, entry in
      if !entry.flags.contains(.directory) { files.append(offset) }
    }
    for offset in files {
      let name = tree[id].records.withName(at: offset) { Array($0) }
      name.withUnsafeBufferPointer { report($0, .deleted) }
    }
  }

  func unwatch(below id: ID) {
    learnIdentities()
    for node in subtree(id) where tree[node].watch >= 0 {
      notifier.unwatch(tree[node].watch)
      tree.clearWatch(node)
    }
  }

  /// Asks the kernel, before watches go, which directories the records are of.
  ///
  /// At set-up that is not asked: it would cost a system call for each directory.
  func learnIdentities() {
    notifier.forEachWatch { watch, inode in
      guard let id = tree.node(forWatch: watch), tree[id].identity == 0 else { return }
      tree[id].identity = FileStatus.identity(ofInode: inode)
    }
  }

  /// The node and all below it, parents before children.
  func subtree(_ id: ID) -> [ID] {
    var nodes = [id]
    var next = 0
    while next < nodes.count {
      nodes.append(contentsOf: tree.children(of: nodes[next]))
      next += 1
    }
    return nodes
  }
}
