package import Batching
import Graph
package import SystemPackage
import Watcher

/// Files that came, were nothing to the images as far as the index tells, and were there while Bazel ran.
///
/// A glob may have taken them in, so that their going is a change of the images: an editor's swap file, above all.
package struct PassingFiles: Sendable {
  /// When so many are there, no more are remembered: these are no editor's.
  private static let limit = 4096

  /// True if a command of ours has run since it came.
  private var files: [FilePath: Bool] = [:]

  package init() {}

  /// Takes in a batch.
  ///
  /// - Parameters:
  ///   - batch: With the news alone.
  ///   - isUnknown: Whether a change means nothing to any image.
  /// - Returns: The deleted paths that Bazel may have seen.
  package mutating func takeIn(_ batch: Batch, isUnknown: (FilePath) -> Bool) -> Set<FilePath> {
    let during = Set(
      batch.sightings.lazy.filter { $0.isDuringCommand || $0.precedesCommand }.map(\.path))
    var seen: Set<FilePath> = []
    for change in batch.changes {
      switch change.kind {
      case .created where files.count < Self.limit && isUnknown(change.path):
        files[change.path] = during.contains(change.path)
      case .deleted:
        let wasSeen = files.removeValue(forKey: change.path) ?? false
        if wasSeen || during.contains(change.path) { seen.insert(change.path) }
      case .created, .modified: break
      }
    }
    return seen
  }

  /// A command of ours is about to run: it sees what is there.
  package mutating func commandBegins() {
    for path in files.keys { files[path] = true }
  }
}
