package import Batching
import SystemPackage

extension Bazel {
  /// Makes the index of images by one query.
  ///
  /// - Parameters:
  ///   - images: The images of this workspace.
  ///   - base: The last good index. Where the answer is partial, what it knew stays known.
  ///   - waitsForLock: `false`: throw when another command holds Bazel's lock.
  ///   - update: Called while the lock has to be waited for.
  /// - Returns: The index and how the query ended.
  /// - Throws: `BazelError` when there is no answer; `CommandError`; `CancellationError`.
  package func index(
    of images: [ImageTarget], base: TargetIndex?, waitsForLock: Bool = true,
    update: @escaping @Sendable (BuildUpdate) -> Void = { _ in }
  ) async throws -> (index: TargetIndex, answer: QueryAnswer) {
    let collector = IndexCollector(workspace: workspace)
    let labels = Set(images.map(\.label)).sorted()
    let answer = try await query(labels, waitsForLock: waitsForLock, update: update) {
      collector.add($0)
    }
    let index = collector.index(
      of: images, adding: answer.isPartial ? base : nil, isPartial: answer.isPartial,
      workspaceFiles: WorkspaceFiles(workspace: workspace).all)
    return (index.followingLinks(), answer)
  }
}

extension TargetIndex {
  /// The index with the symbolic links on the way to its files followed, as they are on disk now.
  ///
  /// Local repositories are found where Bazel has linked to them, once its first build has left
  /// its convenience links: until then `links.isIncomplete`.
  package func followingLinks() -> TargetIndex {
    var index = self
    index.links = SourceSurvey(self, outputBase: OutputBase.find(for: workspace)).links
    return index
  }
}
