import Batching
import SystemPackage
import Watcher

/// From what is owed to what is loaded: refreshes the index if it must, plans, builds, loads.
struct Cycle<C: Clock<Duration>>: Sendable {
  let batch: Batch
  /// What is owed when the cycle begins.
  let owed: Set<String>
  /// The last good indexes, by workspace.
  let indexes: [FilePath: TargetIndex]
  /// Workspaces whose index is to be made anew before the build, with the last good one.
  let stale: [FilePath: TargetIndex?]
  let setup: BuildSetup
  let record: CycleRecord
  let interruption: Interruption
  let clock: C
  let disk: DiskQuestions
  /// Lets the watch follow a new index, before anything is built of what it names.
  let follow: @Sendable (TargetIndex) async -> Bool
  /// The run's: what a change outdates is ended there.
  var loads = LoadsUnderway()

  /// - Throws: `CancellationError`; what is wrong with a build or an image is in the outcome.
  func run() async throws -> CycleOutcome {
    let start = clock.now
    record.time { $0.windowMs = batch.window.milliseconds }
    record.begin(owed)
    record.record(.batch(Event.BatchClosed(batch, images: named(owed), setup: setup)))

    let refreshed = try await IndexRefresh(
      setup: setup, record: record, interruption: interruption, clock: clock, follow: follow
    ).run(stale)
    var owed = owed
    var indexes = indexes
    for index in refreshed {
      indexes[index.workspace] = index
      for change in batch.changes {
        owed.formUnion(index.effect(of: change, asking: disk).images)
      }
    }
    record.begin(owed.subtracting(self.owed))
    let plan = Plan(
      owed: owed, images: setup.images, buildConcurrency: setup.buildConcurrency)
    let planned = start.duration(to: clock.now).milliseconds
    record.time { $0.planMs = planned }

    for stage in plan.stages {
      try await run(stage, indexes: indexes)
    }
    return record.end(
      totalMs: (batch.window + start.duration(to: clock.now)).milliseconds,
      indexes: await completed(refreshed))
  }

  /// Where local repositories lie is known once a first build has left its convenience links.
  private func completed(_ indexes: [TargetIndex]) async -> [TargetIndex] {
    var completed: [TargetIndex] = []
    for index in indexes {
      guard index.links.isIncomplete else {
        completed.append(index)
        continue
      }
      let linked = index.followingLinks()
      _ = await follow(linked)
      completed.append(linked)
    }
    return completed
  }

  /// Builds the groups of a stage one after the other; each image is loaded as it is done.
  private func run(_ stage: [Plan.Group], indexes: [FilePath: TargetIndex]) async throws {
    let (jobs, queue) = AsyncStream.makeStream(of: LoadQueue<C>.Job.self)
    let lanes = LoadQueue(
      limit: setup.loadJobs, ledger: setup.ledger, underway: loads, record: record, clock: clock)
    async let loaded: Void = lanes.run(jobs)
    async let _ = setup.prepareRuntimes()
    defer { queue.finish() }
    for group in stage {
      let ready = group.images.filter(isReady)
      guard !ready.isEmpty else { continue }
      if interruption.isInterrupted {
        record.interrupted()
        for image in ready { record.cancelled(image, because: "the build was interrupted") }
        continue
      }
      let build = GroupBuild(
        group: Plan.Group(key: group.key, images: ready),
        index: indexes[group.key.workspace], setup: setup, record: record,
        interruption: interruption, clock: clock, load: { queue.yield($0) })
      do {
        try await build.run()
      } catch let error where !(error is CancellationError) {
        for image in ready { record.failedBuild(image, "\(error)") }
      }
    }
    // What of the loads Bazel's own time did not hide.
    let built = clock.now
    queue.finish()
    await loaded
    let loading = built.duration(to: clock.now).milliseconds
    record.time { $0.loadMs += loading }
    try Task.checkCancellation()
  }

  /// Whether all that the image requires is there.
  private func isReady(_ image: ImageTarget) -> Bool {
    let missing = image.requires.filter { record.isAsked(for: $0) && !record.isCurrent($0) }
    guard let first = missing.first else { return true }
    record.cancelled(image, because: "it requires \(first), which is not loaded")
    return false
  }

  private func named(_ images: Set<String>) -> [String] {
    setup.images.map(\.name).filter(images.contains)
  }
}

extension Event.BatchClosed {
  /// The batch as the event shows it: paths relative to the workspace, at most 100.
  fileprivate init(_ batch: Batch, images: [String], setup: BuildSetup) {
    // One within another comes after it.
    let workspaces = Set(setup.images.map(\.key.workspace)).sorted { $0.string < $1.string }
    let changes = batch.changes.prefix(100).map { change in
      var path = change.path
      for workspace in workspaces where path.removePrefix(workspace) { break }
      return Change(path: path.string, kind: change.kind.rawValue)
    }
    self.init(
      cause: batch.cause.rawValue, changes: changes, changeCount: batch.changes.count,
      images: images, windowMs: batch.window.milliseconds)
  }
}
