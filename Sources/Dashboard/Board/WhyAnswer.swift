import Basics
package import Graph
import Settings
package import SystemPackage
import Watcher

/// Which images a path affects, and by which way: what `affected --why` tells, from the index in memory.
package struct WhyAnswer: Equatable, Encodable, Sendable {
  package struct Way: Equatable, Encodable, Sendable {
    package var image: String
    package var target: String
    /// From the file to the image's target.
    package var path: [String]
  }

  package var path: String
  /// Whether it is there, or an index knows it.
  package var known: Bool
  package var ways: [Way]

  /// - Parameters:
  ///   - text: As it was typed: relative to the workspace, or absolute.
  ///   - indexes: Those of the run; none yet: it is not known.
  package init(of text: String, in workspace: FilePath, by indexes: [TargetIndex]) {
    let file = workspace.pushing(FilePath(text)).lexicallyNormalized()
    var shown = file
    _ = shown.removePrefix(workspace)
    path = shown.string
    let exists = Disk.exists(file)
    known = exists || indexes.contains { $0.knows(file) }
    let change = FileChange(path: file, kind: exists ? .modified : .deleted)
    let shortest = TargetIndex.shortest(indexes.map { $0.explanation(under: change) })
    ways = shortest.sorted { $0.key < $1.key }.map {
      Way(image: $0.key, target: $0.value.last ?? "", path: $0.value)
    }
  }
}
