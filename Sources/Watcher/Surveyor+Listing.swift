import Glibc

/// Comparing a directory with what is known of it.
extension Surveyor {
  func list(_ id: ID, isReporting: Bool, _ stack: inout [ID]) {
    let isFresh = tree[id].records.isEmpty
    let moment = KernelTime.now
    var hasDirectories = false
    let wasDistrusting = distrustsTimes
    defer { distrustsTimes = wasDistrusting }
    let error = withPath { path in
      DirectoryListing.read(path) { descriptor in
        let identity = FileStatus(descriptor: descriptor)?.identity ?? 0
        // A renamed directory's files keep their change times.
        if !isFresh, identity != tree[id].identity { distrustsTimes = true }
        tree[id].identity = identity
      } _: { descriptor, name, isDirectory in
        guard !ignores(name, isDirectory: isDirectory) else { return }
        hasDirectories = hasDirectories || isDirectory
        if isFresh {
          let entry =
            isDirectory
            ? Entry(flags: .directory, value: 0)
            : newRecord(of: name, in: descriptor, moment)
          tree[id].records.insert(name, entry)
          if isReporting, !isDirectory { report(name, .created) }
        } else {
          compare(id, name, isDirectory, descriptor, moment, isReporting)
        }
      }
    }
    switch error {
    case 0: break
    case ENOENT, ENOTDIR, ELOOP: return vanish(id)
    default:
      // What could be read stands; nothing is concluded from what could not.
      failures[id] = error
      return unmark(id)
    }
    if !lost.isEmpty { lost.remove(id) }
    if isFresh {
      tree.compact(id)
    } else {
      sweep(id, isReporting)
      tree.compactRecords(of: id)
    }
    if hasDirectories { descend(id, &stack) }
  }

  /// Pushes the subdirectories that are wanted and not watched.
  private func descend(_ id: ID, _ stack: inout [ID]) {
    let isInTree = descends(id)
    guard isInTree || tree[id].mode == .flat || plan.hasBorders else { return }
    for (offset, entry) in directories(in: id) {
      if let child = tree.child(entry) {
        if tree[child].watch < 0 { stack.append(child) }
      } else if let mode = wantedMode(of: offset, in: id, isInTree: isInTree) {
        stack.append(tree.addChild(of: id, entry: offset, mode: mode))
      }
    }
  }

  private func compare(
    _ id: ID, _ name: FileRecords.Name, _ isDirectory: Bool, _ descriptor: Int32, _ moment: Int64,
    _ isReporting: Bool
  ) {
    guard let offset = tree[id].records.offset(of: name) else {
      var entry =
        isDirectory
        ? Entry(flags: .directory, value: 0) : newRecord(of: name, in: descriptor, moment)
      entry.flags.insert(.present)
      tree[id].records.insert(name, entry)
      if isReporting, !isDirectory { report(name, .created) }
      return
    }
    var entry = tree[id].records[offset]
    if entry.flags.contains(.directory) != isDirectory {
      forget(entry, named: name, isReporting: isReporting)
      enter(id)
      if isDirectory {
        entry = Entry(flags: .directory, value: 0)
      } else {
        entry = newRecord(of: name, in: descriptor, moment)
        if isReporting { report(name, .created) }
      }
    } else if !isDirectory, let status = Self.status(of: name, in: descriptor) {
      if isReporting, entry.differs(from: status) || distrustsTimes { report(name, .modified) }
      entry = Entry(status, at: moment)
    }
    entry.flags.insert(.present)
    tree[id].records[offset] = entry
  }

  /// Removes what the listing did not have.
  private func sweep(_ id: ID, _ isReporting: Bool) {
    var gone: [(Int, Entry)] = []
    tree[id].records.forEach { offset, entry in
      if !entry.flags.contains(.present) { gone.append((offset, entry)) }
    }
    unmark(id)
    for (offset, entry) in gone {
      let name = tree[id].records.withName(at: offset) { Array($0) }
      name.withUnsafeBufferPointer { forget(entry, named: $0, isReporting: isReporting) }
      enter(id)
      tree[id].records.remove(at: offset)
    }
  }

  private func unmark(_ id: ID) {
    var marked: [Int] = []
    tree[id].records.forEach { offset, entry in
      if entry.flags.contains(.present) { marked.append(offset) }
    }
    for offset in marked { tree[id].records[offset].flags.remove(.present) }
  }

  /// What is recorded of a file seen for the first time.
  ///
  /// With notification that is the moment only: to ask for the status of every file would cost
  /// as much as all else at set-up, and a later change time tells as much.
  func newRecord(of name: FileRecords.Name, in descriptor: Int32, _ moment: Int64) -> Entry {
    if Notifier.self == NoNotifier.self, let status = Self.status(of: name, in: descriptor) {
      return Entry(status, at: moment)
    }
    return Entry(seenAt: moment)
  }

  private static func status(of name: FileRecords.Name, in directory: Int32) -> FileStatus? {
    name.withMemoryRebound(to: CChar.self) { text in
      text.baseAddress.flatMap { FileStatus(of: $0, in: directory) }
    }
  }
}
