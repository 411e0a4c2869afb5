import CInotifyTools

/// Applies the kernel's events to the tree.
extension Surveyor {
  /// Acts on one event of a watched directory. Events of watches no longer held are dropped: what
  /// they tell of is covered by the listing that followed.
  func apply(_ event: RawEvent) {
    guard let id = tree.node(forWatch: event.watch) else { return }
    if event.has(IN_IGNORED) {
      tree.clearWatch(id)
      revisits.insert(id)
    } else if event.has(IN_DELETE_SELF | IN_MOVE_SELF) {
      // Only anchors ask for these. What is below has nothing to do with its path from now on.
      unwatch(below: id)
      revisits.insert(id)
    } else if !event.name.isEmpty {
      enter(id)
      let isDirectory = event.has(Int32(IN_ISDIR))
      guard !ignores(event.name, isDirectory: isDirectory) else { return }
      if event.has(IN_DELETE | IN_MOVED_FROM) {
        leftName(event.name, in: id, isDirectory: isDirectory)
      } else if isDirectory {
        applyToDirectory(event, id)
      } else {
        applyToFile(event, id)
      }
    }
  }

  // MARK: Directories

  private func applyToDirectory(_ event: RawEvent, _ id: ID) {
    if event.has(IN_CREATE) {
      appeared(event.name, in: id, isReplacing: false)
    } else if event.has(IN_MOVED_TO) {
      appeared(event.name, in: id, isReplacing: true)
    } else if event.has(IN_ATTRIB), let child = childNode(event.name, in: id),
      failures[child] != nil
    {
      visit(child, isReporting: true)
    }
  }

  /// A name was given up. It may be in use again: exchanged in one call, or made anew at once.
  ///
  /// So the disk is asked. Of an exchange the second pair of events would otherwise undo what the
  /// first has told.
  private func leftName(_ name: FileRecords.Name, in id: ID, isDirectory: Bool) {
    guard let status = status(of: name) else { return removeEntry(name, in: id) }
    switch (isDirectory, status.isDirectory) {
    case (true, true): appeared(name, in: id, isReplacing: true)
    case (true, false) where ignores(name, isDirectory: false): removeEntry(name, in: id)
    case (_, false): changed(name, in: id)
    case (false, true):
      // Another event brings the directory, or has brought it.
      guard let offset = tree[id].records.offset(of: name),
        !tree[id].records[offset].flags.contains(.directory)
      else { return }
      removeEntry(name, in: id)
    }
  }

  private func appeared(_ name: FileRecords.Name, in id: ID, isReplacing: Bool) {
    if let child = childNode(name, in: id), !isReplacing, tree[child].watch >= 0 {
      // A listing came before this event.
      return
    }
    if let offset = tree[id].records.offset(of: name) {
      let entry = tree[id].records[offset]
      if tree.child(entry) == nil, entry.flags.contains(.directory), !isReplacing { return }
      removeEntry(name, in: id)
    }
    let offset = tree[id].records.insert(name, Entry(flags: .directory, value: 0))
    guard let mode = wantedMode(of: offset, in: id, isInTree: descends(id)) else { return }
    visit(tree.addChild(of: id, entry: offset, mode: mode), isReporting: true)
  }

  private func childNode(_ name: FileRecords.Name, in id: ID) -> ID? {
    tree[id].records.offset(of: name).flatMap { tree.child(tree[id].records[$0]) }
  }

  // MARK: Files

  private func applyToFile(_ event: RawEvent, _ id: ID) {
    if event.has(IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO) {
      changed(event.name, in: id, isCreation: event.has(IN_CREATE))
    } else if event.has(IN_ATTRIB) {
      attributesChanged(event.name, in: id)
    }
  }

  private func changed(_ name: FileRecords.Name, in id: ID, isCreation: Bool = false) {
    var record = Entry(seenAt: moment())
    if isCreation { record.flags.insert(.fresh) }
    if let offset = tree[id].records.offset(of: name) {
      let entry = tree[id].records[offset]
      // Most files that are created are written to and closed at once: said once, it is enough.
      if entry.flags == .fresh, Int64(bitPattern: entry.value) > reportedSince {
        tree[id].records[offset] = record
        return
      }
      forgetDirectory(entry, in: id)
      tree[id].records[offset] = record
      report(name, entry.flags.contains(.directory) ? .created : .modified)
    } else {
      tree[id].records.insert(name, record)
      report(name, .created)
      if isBuildFile(name) { reconcile(id) }
    }
  }

  /// Permissions, owner, times or the number of links changed; only the execute bit is a change.
  private func attributesChanged(_ name: FileRecords.Name, in id: ID) {
    guard let status = status(of: name), !status.isDirectory else { return }
    guard let offset = tree[id].records.offset(of: name) else { return changed(name, in: id) }
    let entry = tree[id].records[offset]
    guard !entry.flags.contains(.directory) else { return }
    if entry.flags.contains(.fingerprinted) {
      // The fingerprint stays as it is, so that content written at the same time is not taken
      // for known.
      guard entry.flags.contains(.executable) != status.isExecutable else { return }
    } else {
      guard entry.differs(from: status) else { return }
    }
    tree[id].records[offset] = Entry(status, at: moment())
    report(name, .modified)
  }

  private func removeEntry(_ name: FileRecords.Name, in id: ID) {
    guard let offset = tree[id].records.offset(of: name) else { return }
    forget(tree[id].records[offset], named: name, isReporting: true)
    enter(id)
    tree[id].records.remove(at: offset)
    tree.compactRecords(of: id)
    if isBuildFile(name) { reconcile(id) }
  }

  private func forgetDirectory(_ entry: Entry, in id: ID) {
    guard let child = tree.child(entry) else { return }
    drop(child, isReporting: true)
    enter(id)
  }
}
