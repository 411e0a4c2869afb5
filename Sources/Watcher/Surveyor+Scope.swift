import Basics
import SystemPackage

/// Decides which directories are watched, and how far down.
extension Surveyor {
  /// Makes the tree below a directory fit the scope. Reports nothing.
  func reconcile(_ start: ID) {
    var stack = [start]
    while let id = stack.popLast() {
      guard tree.isAlive(id) else { continue }
      let isInTree = descends(id)
      for (offset, entry) in directories(in: id) {
        let mode = wantedMode(of: offset, in: id, isInTree: isInTree)
        switch (tree.child(entry), mode) {
        case (let child?, let mode?):
          tree[child].mode = mode
          stack.append(child)
        case (let child?, nil): drop(child, isReporting: false)
        case (nil, let mode?):
          visit(tree.addChild(of: id, entry: offset, mode: mode), isReporting: false)
        case (nil, nil): break
        }
      }
    }
  }

  /// After other ignore rules: forgets what they ignore, learns what they no longer do.
  func refilter() {
    for id in tree.anchors.keys.sorted().flatMap(subtree) where tree.isAlive(id) {
      enter(id)
      var ignored: [(Int, Entry)] = []
      tree[id].records.forEach { offset, entry in
        let isIgnored = tree[id].records.withName(at: offset) {
          ignores($0, isDirectory: entry.flags.contains(.directory))
        }
        if isIgnored { ignored.append((offset, entry)) }
      }
      for (offset, entry) in ignored {
        if let child = tree.child(entry) { drop(child, isReporting: false) }
        tree[id].records.remove(at: offset)
      }
      enter(id)
      reportedSince = .max
      let moment = moment()
      _ = withPath { path in
        DirectoryListing.read(path) { descriptor, name, isDirectory in
          guard !ignores(name, isDirectory: isDirectory), tree[id].records.offset(of: name) == nil
          else { return }
          tree[id].records.insert(
            name,
            isDirectory
              ? Entry(flags: .directory, value: 0) : newRecord(of: name, in: descriptor, moment))
        }
      }
    }
  }

  /// Tells whether what is below a directory is watched with it.
  func descends(_ id: ID) -> Bool {
    switch tree[id].mode {
    case .tree: true
    case .inner: !plan.hasBorders || !isPackage(id)
    case .flat: false
    }
  }

  private func isPackage(_ id: ID) -> Bool {
    BuildFileName.all.contains { name in
      let isThere = Array(name.utf8).withUnsafeBufferPointer { name in
        guard let offset = tree[id].records.offset(of: name) else { return false }
        return !tree[id].records[offset].flags.contains(.directory)
      }
      guard isThere else { return false }
      var bytes: [UInt8] = []
      tree.appendPath(of: id, to: &bytes)
      // Seen without following links: what it leads to may be a directory.
      return BuildFileName.isFile(FilePath(bytes: bytes).appending(name))
    }
  }

  func isBuildFile(_ name: FileRecords.Name) -> Bool {
    plan.hasBorders && BuildFileName.contains(name)
  }

  /// The mode in which a subdirectory is to be watched; `nil`: not at all.
  func wantedMode(of entry: Int, in id: ID, isInTree: Bool) -> WatchedTree.Mode? {
    // Outside the root only trees reach further down.
    guard isInTree || tree.anchor(of: id) == root else { return nil }
    return plan.mode(isInTree: isInTree) {
      var bytes: [UInt8] = []
      tree.appendPath(of: id, to: &bytes)
      bytes.append(UInt8(ascii: "/"))
      tree[id].records.withName(at: entry) { bytes.append(contentsOf: $0) }
      return FilePath(bytes: bytes)
    }
  }

  func directories(in id: ID) -> [(offset: Int, entry: Entry)] {
    var directories: [(Int, Entry)] = []
    tree[id].records.forEach { offset, entry in
      if entry.flags.contains(.directory) { directories.append((offset, entry)) }
    }
    return directories
  }
}
