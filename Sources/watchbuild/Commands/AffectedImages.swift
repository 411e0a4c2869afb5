import Batching
import Runner
import SystemPackage
import Watcher

/// Maps paths to the images that a change to them affects, by the index that a `dev` has left or
/// keeps, if the graph has not changed since; else asks Bazel once.
struct AffectedImages: Sendable {
  let bench: Workbench
  let images: [ImageTarget]
  /// What relative paths are relative to.
  let directory: FilePath

  /// Names of the images that a change to any of the paths affects.
  func names(_ paths: [String]) async throws -> Set<String> {
    Set(try await explanations(paths).keys)
  }

  /// The same, each with the shortest way from a path to its target.
  func explanations(_ paths: [String]) async throws -> [String: [String]] {
    let changes = paths.map(change)
    var found: [String: [String]] = [:]
    for workspace in Set(images.map(\.key.workspace)).sorted(by: { $0.string < $1.string }) {
      let index = try await index(of: workspace)
      for change in changes.flatMap({ index.changes(under: $0) }) {
        let ways = index.explanation(of: change) {
          PackageDirectory.exists(workspace.appending($0))
        }
        found.merge(ways) { $0.count <= $1.count ? $0 : $1 }
      }
    }
    return found
  }

  private func index(of workspace: FilePath) async throws -> TargetIndex {
    let own = images.filter { $0.key.workspace == workspace }
    let saved = SavedIndexes(in: bench.settings.stateDirectory, log: bench.log)
    if let index = await saved.current(of: workspace, images: own) { return index }
    do {
      let (index, answer) = try await bench.bazel(in: workspace).index(
        of: own, base: nil, waitsForLock: bench.settings.waitsForLock, update: bench.tell)
      for diagnostic in answer.diagnostics { bench.tell(.diagnostic(diagnostic)) }
      return index
    } catch let error as BazelError {
      throw bench.problem(error)
    }
  }

  /// A path as the user gave it, as a change. What is not there may come, or have been.
  private func change(_ text: String) -> FileChange {
    let given = directory.pushing(FilePath(text)).lexicallyNormalized()
    // The last part stays: a symbolic link among the sources is a file of its own.
    let parent = given.removingLastComponent()
    // A directory that is not there has no other real path.
    let real = (try? Disk.realPath(parent)) ?? parent
    let path = given.lastComponent.map { real.appending($0) } ?? real
    return FileChange(path: path, kind: Disk.exists(path) ? .modified : .created)
  }
}
