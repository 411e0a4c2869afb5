import Basics
import Batching
import Bazel
import Events
import Graph
import Runtimes
import Synchronization
import SystemPackage
import Watcher

/// From what is owed to what is loaded: refreshes the index if it must, plans, builds, loads.
struct Cycle<C: Clock<Duration>>: Sendable {
  /// What started it, and what is owed when it begins.
  let start: LoopState.Start
  /// The last good indexes, by workspace.
  let indexes: [FilePath: TargetIndex]
  /// Workspaces whose index is to be made anew before the build, with the last good one.
  let stale: [FilePath: TargetIndex?]
  let setup: BuildSetup
  let record: CycleRecord
  let interruption: Interruption
  let clock: C
  /// Lets the watch follow a new index, before anything is built of what it names.
  let follow: @Sendable (TargetIndex) async -> Bool
  /// Hands over new indexes; gives what is owed then.
  let refreshed: @Sendable ([TargetIndex]) async -> Set<String>
  /// Hands over what files held before the build.
  var learned: @Sendable ([FilePath: FileContent]) -> Void = { _ in }
  /// The run's: what a change outdates is ended there.
  var steps = StepsUnderway()
  /// Changes while it runs are seen, and count.
  var isWatched = true
  /// What Bazel said before the cycle began, of what it is to build.
  var heard: [BuildUpdate] = []

  /// Images that are known to have one name with another, before anything is built.
  private var clashes: [String: NameClaims.Clash] { NameClaims.clashes(among: setup.images) }

  /// - Throws: `CancellationError`; what is wrong with a build or an image is in the outcome.
  func run() async throws -> CycleOutcome {
    let batch = start.batch
    let begin = clock.now
    let began = FileClock.now
    record.time { $0.windowMs = batch.window.milliseconds }
    undertake(start.owed)
    record.record(.batch(Event.BatchClosed(batch, images: named(start.owed), setup: setup)))
    record.attribute(by: indexes.values, of: setup.images)
    for update in heard { record.record(update) }
    let own = BazelsOwnFiles(of: isWatched ? Set(setup.images.map(\.key.workspace)) : [])
    makeAgain(start.halfSeen)
    record.history.serverWatches.cycleBegins()

    let found = try await IndexRefresh(
      setup: setup, record: record, interruption: interruption, clock: clock, follow: follow
    ).run(stale)
    var owed = start.owed
    var indexes = indexes
    if !found.isEmpty {
      for index in found {
        indexes[index.workspace] = index
        learned(FileContent.contents(of: index, before: began))
      }
      record.attribute(by: indexes.values)
      owed = await refreshed(found)
      undertake(owed.subtracting(start.owed))
    }
    let plan = Plan(
      owed: owed, images: setup.images, buildConcurrency: setup.buildConcurrency)
    let planned = begin.duration(to: clock.now).milliseconds
    record.time { $0.planMs = planned }

    let refused = try await beforeBuild(owed)
    for stage in plan.stages {
      try await run(stage, without: refused, indexes: indexes, own: own)
    }
    try await afterwards()
    let (completed, missed) = await completed(found, since: began)
    var outcome = record.end(
      totalMs: (batch.window + begin.duration(to: clock.now)).milliseconds, indexes: completed)
    outcome.found = missed
    return outcome
  }

  /// Runs the hooks before the build.
  ///
  /// - Returns: Images that are not to be built, each with the hook that failed.
  private func beforeBuild(_ owed: Set<String>) async throws -> [String: String] {
    guard let hooks = setup.hooks else { return [:] }
    let refused = Mutex<[String: String]>([:])
    _ = try await interruption.run {
      try await hooks.run(.beforeBuild, images: owed, cycle: record.number) { outcome in
        record.hooked(outcome)
        guard !outcome.isGood else { return }
        let hook = outcome.event.command.joined(separator: " ")
        refused.withLock { refused in for image in outcome.images { refused[image] = hook } }
      }
    }
    return refused.withLock { $0 }
  }

  /// Runs the hooks for what was loaded, and for what failed.
  private func afterwards() async throws {
    guard let hooks = setup.hooks, !interruption.isInterrupted else { return }
    try await hooks.run(.afterLoad, images: record.fresh, cycle: record.number) {
      record.hooked($0)
    }
    // What a service failed in is tried again every few seconds; that it fails still is no news.
    guard let failure = record.failure, start.batch.cause != .retry else { return }
    let images = failure.images.isEmpty ? start.owed : failure.images
    try await hooks.run(
      .onFailure, images: images, summary: failure.summary, cycle: record.number
    ) { record.hooked($0) }
  }

  /// Takes away what was made from files that Bazel may have half seen.
  private func makeAgain(_ files: [FilePath]) {
    for index in indexes.values where !files.isEmpty {
      let packages = files.reduce(into: Set()) { $0.formUnion(index.packages(madeFrom: $1)) }
      guard !packages.isEmpty, let root = record.executionRoot(of: index.workspace) else {
        continue
      }
      _ = HalfSeenOutputs(executionRoot: root, workspace: index.workspace).remove(packages)
    }
  }

  /// These images are the cycle's to make.
  private func undertake(_ images: Set<String>) {
    setup.held.forget(images)
    record.begin(images)
  }

  /// Adds what is known of other repositories once a build has made them: where they lie, and what their
  /// making read.
  ///
  /// - Returns: The indexes, and the files there that changed before they were watched.
  private func completed(
    _ indexes: [TargetIndex], since began: Double
  ) async -> (indexes: [TargetIndex], missed: [FileChange]) {
    var completed: [TargetIndex] = []
    var missed: [FileChange] = []
    for index in indexes {
      let workspace = index.workspace
      let images = setup.images.filter { $0.key.workspace == workspace }
      let base = record.executionRoot(of: workspace)?.removingLastComponent()
      let surveyed = setup.bazel(workspace).surveyed(
        index, of: images, outputBase: base?.removingLastComponent())
      if await follow(surveyed) { missed += UnwatchedChanges.find(in: surveyed, since: began) }
      if surveyed.links.isIncomplete { record.missesRepositories(of: workspace) }
      completed.append(surveyed)
    }
    return (completed, missed)
  }

  /// Builds the groups of a stage one after the other; each image is loaded as it is done.
  private func run(
    _ stage: [Plan.Group], without refused: [String: String], indexes: [FilePath: TargetIndex],
    own: BazelsOwnFiles
  ) async throws {
    let (deliveries, queue) = AsyncStream.makeStream(of: Delivery.self)
    let lanes = DeliveryQueue(
      limit: setup.loadJobs, ledger: setup.ledger, held: setup.held, underway: steps,
      record: record, clock: clock)
    async let delivered = lanes.run(deliveries)
    async let _ = setup.prepareRuntimes()
    defer { queue.finish() }
    for group in stage {
      let ready = group.images.filter { isReady($0, without: refused) }
      guard !ready.isEmpty else { continue }
      if interruption.isInterrupted {
        record.interrupted()
        for image in ready { record.cancelled(image, because: "the build was interrupted") }
        continue
      }
      let build = GroupBuild(
        group: Plan.Group(key: group.key, images: ready),
        index: indexes[group.key.workspace], setup: setup, record: record,
        interruption: interruption, clock: clock, own: own,
        distrustsCaches: !start.halfSeen.isEmpty,
        visible: changesVisible(in: group.key.workspace, by: indexes[group.key.workspace]),
        deliver: { queue.yield($0) })
      do {
        try await build.run()
      } catch let error where !(error is CancellationError) {
        // Bazel is not there, or has no place for its files: no fault of the images.
        for image in ready { record.troubled(image, "\(error)") }
      }
    }
    // What of loads and rollouts Bazel's own time did not hide.
    let built = clock.now
    queue.finish()
    let loaded = max(await delivered ?? built, built)
    let loading = built.duration(to: loaded).milliseconds
    let rolling = loaded.duration(to: clock.now).milliseconds
    let hasRollouts = stage.contains { $0.images.contains { $0.rollout != nil } }
    record.time {
      $0.loadMs += hasRollouts ? loading : loading + rolling
      $0.rolloutMs += hasRollouts ? rolling : 0
    }
    try Task.checkCancellation()
  }

  /// What a large workspace is built for, where its Bazel server's own watch sees all of it.
  private func changesVisible(in workspace: FilePath, by index: TargetIndex?) -> [FilePath]? {
    guard let rules = setup.watchRules, rules.isWhole(), let index, !index.isPartial,
      index.fileCount >= rules.leastFiles, start.batch.isPlainSave, start.halfSeen.isEmpty
    else { return nil }
    let changes = start.batch.changes.map(\.path)
    return changes.allSatisfy(index.isPlain) ? changes : nil
  }

  /// Whether the image has its name to itself, and all that it requires is there.
  private func isReady(_ image: ImageTarget, without refused: [String: String]) -> Bool {
    if let hook = refused[image.name] {
      record.refused(image, by: hook)
      return false
    }
    if let clash = clashes[image.name] {
      record.failedBuild(image, "\(clash)")
      return false
    }
    let missing = image.requires.filter { record.isAsked(for: $0) && !record.isCurrent($0) }
    guard let first = missing.first else { return true }
    record.heldUp(image, by: first)
    return false
  }

  private func named(_ images: Set<String>) -> [String] {
    setup.images.map(\.name).filter(images.contains)
  }
}
