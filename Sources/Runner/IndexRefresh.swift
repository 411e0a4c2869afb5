import Basics
import Bazel
import Events
import Graph
import SystemPackage

/// Makes indexes anew, by one query a workspace.
struct IndexRefresh<C: Clock<Duration>>: Sendable {
  let setup: BuildSetup
  let record: CycleRecord
  let interruption: Interruption
  let clock: C
  /// Lets the watch follow an index; `true`: it reaches further than before.
  let follow: @Sendable (TargetIndex) async -> Bool

  /// - Parameter stale: The workspaces, each with its last good index.
  /// - Returns: The new indexes; none for a workspace that gave no answer.
  /// - Throws: `CancellationError`.
  func run(_ stale: [FilePath: TargetIndex?]) async throws -> [TargetIndex] {
    var indexes: [TargetIndex] = []
    for (workspace, base) in stale.sorted(by: { $0.key.string < $1.key.string })
    where !interruption.isInterrupted {
      if let index = try await watched(workspace, base: base) { indexes.append(index) }
    }
    return indexes
  }

  /// An index whose every directory was watched before the query that made it.
  private func watched(_ workspace: FilePath, base: TargetIndex?) async throws -> TargetIndex? {
    var index = try await refresh(workspace, base: base)
    // Each round takes in what the one before found; a graph that is being written grows no more
    // than a few times, and then its last change starts the next cycle anyway.
    for _ in 0..<3 {
      guard let found = index, await follow(found), !interruption.isInterrupted else { break }
      index = try await refresh(workspace, base: found) ?? index
    }
    return index
  }

  private func refresh(_ workspace: FilePath, base: TargetIndex?) async throws -> TargetIndex? {
    let start = clock.now
    let images = setup.images.filter { $0.key.workspace == workspace }
    record.commandStarted()
    let outcome: (index: TargetIndex, answer: QueryAnswer)?
    do {
      outcome = try await interruption.run {
        try await setup.bazel(workspace).index(
          of: images, base: base, waitsForLock: setup.waitsForLock
        ) { record.record($0) }
      }
    } catch let error as CancellationError {
      throw error
    } catch {
      record.history.serverWatches.asked(in: workspace, isWhole: false)
      report(error)
      return nil
    }
    record.history.serverWatches.asked(in: workspace, isWhole: outcome != nil)
    guard let (index, answer) = outcome else {
      record.interrupted()
      return nil
    }
    record.record(
      .index(
        Event.Indexed(
          reason: base == nil ? "start" : "change", files: index.fileCount,
          images: images.count, ms: start.duration(to: clock.now).milliseconds,
          partial: answer.isPartial)))
    for diagnostic in answer.diagnostics {
      record.record(.diagnostic(diagnostic))
    }
    return index
  }

  /// The build that follows fails of the same and says so for each image; until then the last
  /// good index serves.
  private func report(_ error: any Error) {
    guard let error = error as? BazelError else { return }
    if error.isLockHeld { record.lockHeld(error.problem) }
    for diagnostic in error.diagnostics { record.record(.diagnostic(diagnostic)) }
  }
}
