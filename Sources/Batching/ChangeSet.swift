import SystemPackage
package import Watcher

/// Changes, at most one a path: what happened to a path between first and last sight of it.
package struct ChangeSet: Hashable, Sendable {
  /// In the order of their first appearance, where none was forgotten.
  package private(set) var changes: [FileChange] = []
  private var positions: [FilePath: Int] = [:]

  /// - Parameter changes: In their order.
  package init(_ changes: [FileChange] = []) {
    for change in changes { add(change) }
  }

  package var isEmpty: Bool { changes.isEmpty }

  /// - Parameter forgetsPassing: What was created and is deleted now leaves nothing. Only where nobody can have
  ///   seen it in between: not while Bazel runs, for a build may have taken it in.
  package mutating func add(_ change: FileChange, forgetsPassing: Bool = false) {
    guard let position = positions[change.path] else {
      positions[change.path] = changes.count
      changes.append(FileChange(path: change.path, kind: change.kind))
      return
    }
    if forgetsPassing, changes[position].kind == .created, change.kind == .deleted {
      return forget(change.path, at: position)
    }
    changes[position].kind = changes[position].kind.followed(by: change.kind)
  }

  private mutating func forget(_ path: FilePath, at position: Int) {
    positions[path] = nil
    // The last one takes the place, so that a thousand temporary files don't move all the others.
    let last = changes.removeLast()
    guard last.path != path else { return }
    changes[position] = last
    positions[last.path] = position
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
