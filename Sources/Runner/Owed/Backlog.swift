import Basics
package import Batching
package import Graph
package import SystemPackage
import Watcher

/// The images, and the builds that are owed to them: the state of the loop between two cycles.
///
/// A value: the loop tells it what happened and asks it what to do.
package struct Backlog: Sendable {
  package private(set) var images: [ImageTarget]
  package private(set) var pending = PendingImages()
  /// By workspace.
  package private(set) var indexes: [FilePath: TargetIndex] = [:]
  /// Workspaces whose index does not tell what is on disk.
  package private(set) var staleWorkspaces: Set<FilePath>
  /// Workspaces whose graph Bazel could not tell: any change may affect any of their images.
  private var unknownWorkspaces: Set<FilePath>
  let disk: DiskQuestions

  /// - Parameters:
  ///   - images: All configured images.
  ///   - disk: What is asked of the disk.
  package init(images: [ImageTarget], disk: DiskQuestions = DiskQuestions()) {
    self.images = images
    self.disk = disk
    staleWorkspaces = Set(images.map(\.key.workspace))
    unknownWorkspaces = staleWorkspaces
  }

  /// Takes in a batch: what it affects is owed from now on.
  ///
  /// - Returns: The images that it affects, and whether an index is stale for it.
  @discardableResult
  package mutating func receive(_ batch: Batch) -> Effect {
    let effect = effect(of: batch)
    pending.owe(effect.images)
    return effect
  }

  /// Takes over a new index.
  package mutating func adopt(_ index: TargetIndex) {
    indexes[index.workspace] = index
    staleWorkspaces.remove(index.workspace)
    unknownWorkspaces.remove(index.workspace)
  }

  /// Bazel was asked for the graph of these workspaces, and gave no answer.
  package mutating func indexFailed(in workspaces: Set<FilePath>) {
    unknownWorkspaces.formUnion(workspaces.intersection(staleWorkspaces))
  }

  // MARK: Questions

  /// Somewhere the graph is not known at all.
  package var isBlind: Bool { !unknownWorkspaces.isEmpty }

  /// Whether nobody but Bazel writes a path: its lock file, the links that it leaves in a workspace, and where it
  /// puts other repositories. To be asked of all the paths of a batch.
  package var bazelsOwn: @Sendable (FilePath) -> Bool {
    let workspaces = Set(images.map(\.key.workspace)).union(indexes.keys)
    let files = Set(
      workspaces.flatMap { workspace in
        BazelsOwnNames.all.map { workspace.appending($0) }
      })
    let roots = indexes.values.flatMap(\.links.roots.values).map { FilePath($0) }
    return { [disk] path in
      files.contains(path) || roots.contains(where: path.starts(with:)) || disk.isOutputLink(path)
    }
  }

  /// Tells whether the coming of a path means nothing to any image.
  package func isUnknown(_ path: FilePath) -> Bool {
    let change = FileChange(path: path, kind: .created)
    return unknownWorkspaces.isEmpty
      && indexes.values.allSatisfy { $0.effect(of: change, asking: disk) == Effect() }
  }

  /// The images that a file affects, as far as the graph is known.
  package func images(affectedBy path: FilePath) -> Set<String> {
    guard unknownWorkspaces.isEmpty else { return Set(images.map(\.name)) }
    let change = FileChange(path: path, kind: .modified)
    return indexes.values.reduce(into: []) {
      $0.formUnion($1.effect(of: change, asking: disk).images)
    }
  }

  /// The images that a batch affects by those of its changes that count.
  package func affected(by batch: Batch, where counts: (FilePath) -> Bool) -> Set<String> {
    var batch = batch
    batch.changes.removeAll { !counts($0.path) }
    var copy = self
    return copy.effect(of: batch).images
  }

  /// The workspaces to be indexed anew, each with its last good index.
  package var stale: [FilePath: TargetIndex?] {
    Dictionary(
      uniqueKeysWithValues: staleWorkspaces.map { ($0, indexes[$0]) })
  }

  package mutating func settle(_ image: String, asOf moment: PendingImages.Moment) {
    pending.settle(image, asOf: moment)
  }

  /// Takes over other images, all of them owed if new or changed; what is owed to the rest stays.
  package mutating func configure(_ images: [ImageTarget]) {
    let known = Set(self.images)
    self.images = images
    pending.keep(Set(images.map(\.name)))
    pending.owe(images.filter { !known.contains($0) }.map(\.name))
    let workspaces = Set(images.map(\.key.workspace))
    staleWorkspaces = workspaces
    unknownWorkspaces.formUnion(workspaces.filter { indexes[$0] == nil })
    indexes = indexes.filter { workspaces.contains($0.key) }
  }

  private mutating func effect(of batch: Batch) -> Effect {
    let names = Set(images.map(\.name))
    var effect = Effect(images: batch.affectsEverything ? names : batch.requested)
    for (workspace, index) in indexes {
      let found = index.effect(of: batch.changes, asking: disk, seen: batch.passed)
      effect.formUnion(found)
      if found.isStale || batch.cause == .overflow { staleWorkspaces.insert(workspace) }
    }
    // Where the graph is not known, any change may affect any image.
    if !batch.changes.isEmpty {
      effect.images.formUnion(
        images.filter { unknownWorkspaces.contains($0.key.workspace) }.map(\.name))
    }
    effect.images.formIntersection(names)
    effect.isStale = !staleWorkspaces.isEmpty
    return effect
  }
}
