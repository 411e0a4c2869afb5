import SystemPackage
package import Watcher

/// Changes, at most one a path: what happened to a path between first and last sight of it.
package struct ChangeSet: Hashable, Sendable {
  /// In the order of their first appearance, where none was forgotten.
  package private(set) var changes: [FileChange] = []
  private var positions: [PathKey: Int] = [:]

  /// - Parameter changes: In their order.
  package init(_ changes: [FileChange] = []) {
    for change in changes { add(change) }
  }

  package var isEmpty: Bool { changes.isEmpty }

  func contains(_ path: FilePath) -> Bool { positions[PathKey(path)] != nil }

  /// - Parameter forgetsPassing: What was created and is deleted now leaves nothing. Only where nobody can have
  ///   seen it in between: not while Bazel runs, for a build may have taken it in.
  package mutating func add(_ change: FileChange, forgetsPassing: Bool = false) {
    let key = PathKey(change.path)
    guard let position = positions[key] else {
      positions[key] = changes.count
      changes.append(FileChange(path: change.path, kind: change.kind))
      return
    }
    if forgetsPassing, changes[position].kind == .created, change.kind == .deleted {
      return forget(key, at: position)
    }
    changes[position].kind = changes[position].kind.followed(by: change.kind)
  }

  private mutating func forget(_ key: PathKey, at position: Int) {
    positions[key] = nil
    // The last one takes the place, so that a thousand temporary files don't move all the others.
    let last = changes.removeLast()
    guard position < changes.count else { return }
    changes[position] = last
    positions[PathKey(last.path)] = position
  }
}

extension FileChange.Kind {
  /// The net effect of two changes of one path.
  fileprivate func followed(by later: Self) -> Self {
    switch (self, later) {
    case (.created, .modified): .created
    case (.deleted, .created): .modified
    default: later
    }
  }
}
