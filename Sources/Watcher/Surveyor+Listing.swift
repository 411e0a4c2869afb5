import Glibc

/// Comparing a directory with what is known of it.
extension Surveyor {
  /// Notes what is in the current directory, and reports what differs from what was known of it.
  ///
  /// The subdirectories that are to be visited go on the stack.
  func list(_ id: ID, _ descriptor: Int32, isReporting: Bool, _ stack: inout [ID]) {
    if !isReporting { reportedSince = .max }
    let isFresh = tree[id].records.isEmpty
    // While a directory is watched the kernel knows which it is: see `learnIdentities`.
    let identity =
      isFresh && tree[id].watch >= 0 ? 0 : FileStatus(descriptor: descriptor)?.identity ?? 0
    let error =
      isFresh
      ? fill(id, descriptor, isReporting) : compare(id, descriptor, identity, isReporting)
    switch error {
    case 0: break
    case ENOENT, ENOTDIR, ELOOP: return vanish(id)
    default:
      // What could be read stands; nothing is concluded from what could not.
      failures[id] = error
      return unmark(id)
    }
    tree[id].identity = identity
    descend(id, &stack)
  }

  /// Takes over a directory of which nothing is known.
  private func fill(_ id: ID, _ descriptor: Int32, _ isReporting: Bool) -> Int32 {
    let moment = moment()
    // One object is used for all, and copied at its right size.
    filling.removeAll()
    let error = listing.read(descriptor) { name, isDirectory in
      guard !ignores(name, isDirectory: isDirectory) else { return }
      let entry =
        isDirectory
        ? Entry(flags: .directory, value: 0) : newRecord(of: name, in: descriptor, moment)
      filling.insert(name, entry)
      if isReporting, !isDirectory { report(name, .created) }
    }
    tree[id].records = filling.compacted
    return error
  }

  private func compare(
    _ id: ID, _ descriptor: Int32, _ identity: UInt32, _ isReporting: Bool
  ) -> Int32 {
    let moment = moment()
    let wasDistrusting = distrustsTimes
    defer { distrustsTimes = wasDistrusting }
    // A renamed directory's files keep their change times.
    if identity != tree[id].identity { distrustsTimes = true }
    let error = listing.read(descriptor) { name, isDirectory in
      guard !ignores(name, isDirectory: isDirectory) else { return }
      compare(id, name, isDirectory, descriptor, moment, isReporting)
    }
    guard error == 0 else { return error }
    sweep(id, isReporting)
    tree.compactRecords(of: id)
    return 0
  }

  /// Pushes the subdirectories that are wanted and not watched.
  private func descend(_ id: ID, _ stack: inout [ID]) {
    guard tree[id].records.hasDirectories else { return }
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
    } else if !isDirectory, let status = FileStatus(of: name, in: descriptor) {
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

  /// The record of a file that is seen for the first time.
  ///
  /// With notification that is the moment only: to ask for the status of every file would cost
  /// as much as all else at set-up, and a later change time tells as much.
  func newRecord(of name: FileRecords.Name, in descriptor: Int32, _ moment: Int64) -> Entry {
    // Another machine's clock may have set the change time of what it shares.
    if Notifier.self == NoNotifier.self || failures[current] == Shortfall.isUnnotified,
      let status = FileStatus(of: name, in: descriptor)
    {
      return Entry(status, at: moment)
    }
    return Entry(seenAt: moment)
  }
}
