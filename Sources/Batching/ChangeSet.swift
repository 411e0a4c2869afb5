import SystemPackage
package import Watcher

/// Changes, at most one a path: what happened to a path between first and last sight of it.
package struct ChangeSet: Hashable, Sendable {
  /// In the order of their first appearance.
  package private(set) var changes: [FileChange] = []
  private var positions: [FilePath: Int] = [:]

  package init(_ changes: [FileChange] = []) {
    for change in changes { add(change) }
  }

  package var isEmpty: Bool { changes.isEmpty }

  package mutating func add(_ change: FileChange) {
    guard let position = positions[change.path] else {
      positions[change.path] = changes.count
      changes.append(change)
      return
    }
    changes[position].kind = changes[position].kind.followed(by: change.kind)
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
