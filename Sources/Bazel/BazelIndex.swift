package import Graph
package import SystemPackage

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
    let files = workspaceFiles(for: images)
    let collector = IndexCollector(workspace: workspace)
    let labels = Set(images.map(\.label)).sorted()
    let answer = try await query(
      labels, and: files.targets.expressions, waitsForLock: waitsForLock, update: update
    ) { collector.add($0) }
    let index = collector.index(
      of: images, adding: answer.isPartial ? base : nil, isPartial: answer.isPartial,
      joined: files.targets.present)
    return (surveyed(index, files: files, told: base?.outputBase), answer)
  }

  /// The index with what is on disk now: where the files of the graph lie, what Bazel reads outside all
  /// packages, and what it has written down of the making of repositories.
  ///
  /// - Parameters:
  ///   - images: Those of the index.
  ///   - outputBase: What Bazel has said; `nil`: it is looked for, and until it is found
  ///     `links.isIncomplete`.
  package func surveyed(
    _ index: TargetIndex, of images: [ImageTarget], outputBase: FilePath? = nil
  ) -> TargetIndex {
    surveyed(index, files: workspaceFiles(for: images), told: outputBase ?? index.outputBase)
  }

  private func surveyed(
    _ index: TargetIndex, files: WorkspaceFiles, told: FilePath?
  ) -> TargetIndex {
    let outputBase = OutputBase.find(
      for: workspace, told: told, options: files.options, user: user)
    var index = index
    index.outputBase = outputBase
    index.inputs = files.inputs
    if let outputBase {
      index.inputs.formUnion(RepositoryInputs(recordedIn: outputBase, workspace: workspace))
    }
    index.links = SourceSurvey(index, outputBase: outputBase, names: files.repositoryNames).links
    return index
  }

  private func workspaceFiles(for images: [ImageTarget]) -> WorkspaceFiles {
    WorkspaceFiles(
      workspace: workspace, options: images.flatMap(\.key.buildOptions),
      rc: BazelRCFiles(workspace: workspace, user: user, startupOptions: startupOptions))
  }
}
