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
    let entries = EntryBuffer()
    let labels = Set(images.map(\.label)).sorted()
    let answer = try await query(labels, waitsForLock: waitsForLock, update: update) {
      entries.append($0)
    }
    var builder = TargetIndex.Builder(
      workspace: workspace, adding: answer.isPartial ? base : nil)
    for entry in entries.take() { builder.add(entry) }
    let index = builder.build(
      images: images, isPartial: answer.isPartial,
      workspaceFiles: WorkspaceFiles(workspace: workspace).all,
      link: { SourceLink.target(of: $0, in: workspace) })
    return (index, answer)
  }
}
