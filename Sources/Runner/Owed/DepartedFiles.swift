package import Batching
package import SystemPackage
import Watcher

/// Files that were deleted in this run, with the images that depended on them.
///
/// The graph forgets a file with its next query. Who asks about the deletion later is still answered.
package struct DepartedFiles: Sendable {
  /// When so many are known the ones from before are forgotten.
  private static let limit = 4096

  private var images: [FilePath: Set<String>] = [:]

  package init() {}

  package subscript(path: FilePath) -> Set<String>? { images[path] }

  /// Takes in a batch.
  ///
  /// - Parameter affected: The images that the deletion of a path affects; `nil` where the path is unknown.
  package mutating func takeIn(_ batch: Batch, affected: (FilePath) -> Set<String>?) {
    for change in batch.changes.prefix(Self.limit) {
      guard change.kind == .deleted else {
        images[change.path] = nil
        continue
      }
      // What has been there for a moment only, or is told again, says nothing new.
      guard let found = affected(change.path) else { continue }
      if images.count >= Self.limit { images = [:] }
      images[change.path] = found
    }
  }
}
