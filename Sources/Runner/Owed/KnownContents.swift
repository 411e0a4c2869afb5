package import Basics
package import Batching
import Graph
package import SystemPackage
import Watcher

/// The content of files when they were last looked at, so that a change that leaves the same is no news.
///
/// Only while a command of ours runs is that asked: Bazel and its actions write files too, most often with the
/// content that these had. What nobody has looked at is always news.
package struct KnownContents: Sendable {
  /// When so many are known all are forgotten, which costs a needless build here and there.
  private static let limit = 65_536

  private var contents: [FilePath: FileContent] = [:]

  package init() {}

  package subscript(path: FilePath) -> FileContent? { contents[path] }

  /// Takes over what files held before any of the commands to come. What is known already stays.
  package mutating func learn(_ found: [FilePath: FileContent]) {
    guard contents.count + found.count <= Self.limit else { return }
    contents.merge(found) { known, _ in known }
  }

  /// Takes in the looks of a batch.
  ///
  /// - Parameters:
  ///   - batch: What the batcher closed.
  ///   - isBazelsOwn: Whether nobody but Bazel writes a path.
  /// - Returns: The batch without the changes that are no news.
  package mutating func takeIn(_ batch: Batch, isBazelsOwn: (FilePath) -> Bool) -> Batch {
    let looks = Dictionary(grouping: batch.sightings, by: \.path)
    var batch = batch
    batch.changes.removeAll { change in
      guard let looks = looks[change.path] else { return false }
      let before = contents[change.path]
      let isSame = before != nil && looks.allSatisfy { $0.content == before }
      remember(looks.last?.content, of: change.path)
      let isDuring = looks.allSatisfy(\.isDuringCommand)
      if isBazelsOwn(change.path) { return isSame || isDuring }
      return isSame && isDuring && !looks.contains(where: \.isRepeated)
    }
    let news = Set(batch.changes.map(\.path))
    batch.sightings.removeAll { !news.contains($0.path) }
    return batch
  }

  private mutating func remember(_ content: FileContent?, of path: FilePath) {
    if contents.count >= Self.limit { contents = [:] }
    contents[path] = content
  }
}
