package import Basics
package import Events
package import Graph
package import SystemPackage

/// The indexes on disk, a file for each workspace, and what has to be written of them.
package struct SavedIndexes: Sendable {
  /// The indexes to write of one moment of the loop.
  struct Snapshot: Sendable {
    /// Each with the moment, in seconds since 1970, at which it was true of the disk.
    var indexes: [(index: TargetIndex, moment: Double)]
    var images: [ImageTarget]
    var owed: Set<String>
  }

  private let directory: PrivateDirectory
  private let log: EventHub

  /// - Parameters:
  ///   - directory: Where the files lie.
  ///   - log: Told of an index found and of one that is of no use.
  package init(in directory: PrivateDirectory, log: EventHub) {
    self.directory = directory
    self.log = log
  }

  /// Reads what an earlier run left, and looks at what has changed since.
  ///
  /// - Parameters:
  ///   - images: As they are configured now.
  ///   - follow: Lets the watch follow an index; `true`: it reaches further than before.
  /// - Returns: For each workspace whose file is of use.
  func restore(
    _ images: [ImageTarget], follow: @Sendable (TargetIndex) async -> Bool
  ) async -> [IndexFile.Saved] {
    var restored: [IndexFile.Saved] = []
    for (workspace, images) in Self.byWorkspace(images) {
      let clock = ContinuousClock()
      let start = clock.now
      do throws(IndexFile.Refusal) {
        let file = file(of: workspace)
        var saved = try await file.load(workspace, images: images)
        // What is watched from now on only may have changed since it was looked at.
        if await follow(saved.index) { saved = try await file.load(workspace, images: images) }
        log.record(
          .index(
            Event.Indexed(
              reason: "saved", files: saved.index.fileCount, images: images.count,
              ms: start.duration(to: clock.now).milliseconds, partial: saved.index.isPartial)))
        restored.append(saved)
      } catch {
        tell(error, workspace)
      }
    }
    return restored
  }

  /// The index of one workspace, if it is what Bazel would answer now.
  ///
  /// - Parameters:
  ///   - images: Of this workspace.
  ///   - disk: What is asked of the disk when what changed since is mapped.
  /// - Returns: `nil`: Bazel has to be asked.
  package func current(
    of workspace: FilePath, images: [ImageTarget], disk: DiskQuestions = .disk
  ) async -> TargetIndex? {
    // Whatever is wrong with it, Bazel knows.
    guard let saved = try? await file(of: workspace).load(workspace, images: images),
      !saved.index.isPartial,
      !saved.changes.contains(where: { saved.index.effect(of: $0, asking: disk).isStale })
    else { return nil }
    return saved.index
  }

  /// The index of one workspace that an earlier run left, whatever has changed since.
  package func last(of workspace: FilePath, images: [ImageTarget]) async -> TargetIndex? {
    // As above.
    try? await file(of: workspace).load(workspace, images: images).index
  }

  /// Names of a workspace's images as the latest run knew them, whatever has changed since.
  package static func imageNames(
    of workspace: FilePath, in directory: PrivateDirectory
  ) -> [String] {
    file(of: workspace, in: directory).imageNames()
  }

  /// Writes the files. One call at a time.
  func save(_ snapshot: Snapshot) {
    for (index, moment) in snapshot.indexes {
      let images = snapshot.images.filter { $0.key.workspace == index.workspace }
      do {
        try file(of: index.workspace).save(
          index, of: images, owed: snapshot.owed.intersection(images.map(\.name)), since: moment)
      } catch {
        log.record(
          .degraded(
            reason:
              "can't save the index in \(directory.path): \(error); the next start asks Bazel again"
          ))
      }
    }
  }

  func file(of workspace: FilePath) -> IndexFile { Self.file(of: workspace, in: directory) }

  private static func file(of workspace: FilePath, in directory: PrivateDirectory) -> IndexFile {
    let hash = Checksum.of(Array(workspace.string.utf8)[...])
    return IndexFile("index-\(String(hash, radix: 16))", in: directory)
  }

  private static func byWorkspace(
    _ images: [ImageTarget]
  ) -> [(workspace: FilePath, images: [ImageTarget])] {
    Dictionary(grouping: images, by: \.key.workspace).sorted { $0.key.string < $1.key.string }
      .map { ($0.key, $0.value) }
  }

  /// A first start, other images and another version are in order; a file that can't be read is not.
  private func tell(_ refusal: IndexFile.Refusal, _ workspace: FilePath) {
    switch refusal {
    case .absent, .otherImages, .otherVersion: break
    case .damaged, .foreign, .untrusted:
      log.record(
        .degraded(reason: "\(refusal) (in \(directory.path)): Bazel is asked for a new one"))
    }
  }
}

/// Decides which indexes are worth a save, and keeps their moments: a value of the loop's.
struct IndexMoments: Sendable {
  private var moments: [FilePath: Double] = [:]
  private var isNew = false
  /// What the files say of it.
  private var owed: Set<String> = []

  /// - Parameter moment: Before its file was read, in seconds since 1970.
  mutating func restored(_ saved: IndexFile.Saved, at moment: Double) {
    moments[saved.index.workspace] = moment
    owed.formUnion(saved.owed)
  }

  /// - Parameter moment: Before the query of it began, in seconds since 1970.
  mutating func adopted(_ index: TargetIndex, at moment: Double) {
    moments[index.workspace] = moment
    isNew = true
  }

  /// - Returns: What to write, if the files say anything else.
  mutating func unsaved(_ backlog: Backlog) -> SavedIndexes.Snapshot? {
    guard isNew || backlog.pending.names != owed else { return nil }
    isNew = false
    owed = backlog.pending.names
    // An index that is known to be behind must not be taken for the state of the files beside it.
    let indexes = backlog.indexes.filter { !backlog.staleWorkspaces.contains($0.key) }
    return SavedIndexes.Snapshot(
      indexes: indexes.compactMap { workspace, index in
        moments[workspace].map { (index, $0) }
      }, images: backlog.images, owed: backlog.pending.names)
  }
}
