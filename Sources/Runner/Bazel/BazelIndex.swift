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
    for entry in entries.take().assumingLoads() { builder.add(entry) }
    let index = builder.build(
      images: images, isPartial: answer.isPartial,
      workspaceFiles: WorkspaceFiles(workspace: workspace).all,
      link: { SourceLink.target(of: $0, in: workspace) })
    return (index, answer)
  }
}

extension [QueryEntry] {
  /// Bazel tells what a BUILD file loads only of those that are named just `BUILD`; of a
  /// `BUILD.bazel`, any `.bzl` file of the workspace is taken to be loaded.
  ///
  /// Too many images may be built again after a change to a `.bzl` file, but never too few.
  /// Source: XmlOutputFormatter.java and ProtoOutputFormatter.java in Bazel 4.2.3
  func assumingLoads() -> [QueryEntry] {
    let extensions = Set(
      compactMap { entry -> String? in
        guard case .sourceFile(let name, _) = entry, name.hasPrefix("//"), name.hasSuffix(".bzl")
        else { return nil }
        return name
      }
    ).sorted()
    return map { entry in
      guard case .sourceFile(let name, loads: []) = entry, name.hasPrefix("//"),
        name.hasSuffix(":BUILD.bazel")
      else { return entry }
      return .sourceFile(name: name, loads: extensions)
    }
  }
}
