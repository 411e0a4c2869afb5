package import Batching
import Graph
package import SystemPackage
package import Watcher

/// Questions about the graph from those who wait.
extension Backlog {
  /// The graph, as far as it is known, is behind the files.
  package var isStale: Bool { !staleWorkspaces.isEmpty }

  /// Tells whether a batch makes the graph one that is to be asked for again.
  package func isStale(after batch: Batch) -> Bool {
    batch.cause == .overflow
      || indexes.values.contains {
        $0.effect(of: batch.changes, asking: disk, seen: batch.passed).isStale
      }
  }

  /// Tells whether a path that is not on disk is one of the graph, or may be: the graph is not known everywhere.
  package func mayKnow(_ path: FilePath) -> Bool {
    isBlind || indexes.values.contains { $0.knows(path) }
  }

  /// The images that depend on a file, or on any file below a directory.
  ///
  /// - Parameter kind: `modified` for what is there, `deleted` for what is not.
  package func images(touchedBy path: FilePath, _ kind: FileChange.Kind = .modified) -> Set<String>
  {
    guard !isBlind else { return Set(images.map(\.name)) }
    return indexes.values.reduce(into: []) { found, index in
      let changes = index.changes(under: FileChange(path: path, kind: kind))
      for change in changes { found.formUnion(index.effect(of: change, asking: disk).images) }
    }
  }
}
