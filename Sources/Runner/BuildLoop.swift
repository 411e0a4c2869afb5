package import Batching
import Watcher

/// The loop: takes batches, runs one cycle at a time, and remembers what is owed.
///
/// All its state lives in one `for await` over one stream: batches, and the ends of cycles.
package struct BuildLoop<C: Clock<Duration>>: Sendable {
  private enum Signal: Sendable {
    case batch(Batch)
    case cycleEnded(Result<CycleOutcome, any Error>)
    case batchesEnded
    /// Whether the runtimes of a failed load can be reached now.
    case retryDue(Bool)
    case indexed([TargetIndex])
  }

  private let log: EventLog
  private let clock: C
  private let disk: DiskQuestions
  private let saved: SavedIndexes?

  /// - Parameters:
  ///   - log: Told of all that happens.
  ///   - clock: Measures.
  ///   - disk: What is asked of the disk when a change is mapped.
  ///   - saved: Where the next run finds what this one knows; `nil`: nowhere.
  package init(
    log: EventLog, clock: C, disk: DiskQuestions = .disk, saved: SavedIndexes? = nil
  ) {
    self.log = log
    self.clock = clock
    self.disk = disk
    self.saved = saved
  }

  // MARK: Once

  /// Builds and loads images once.
  ///
  /// - Parameters:
  ///   - images: Names; `nil`: all.
  ///   - setup: What to build, with what.
  /// - Returns: What became of each.
  /// - Throws: `CancellationError`.
  package func once(
    _ images: Set<String>? = nil, with setup: BuildSetup
  ) async throws
    -> CycleOutcome
  {
    let owed = images ?? Set(setup.images.map(\.name))
    return try await Cycle(
      batch: Batch(cause: .start), owed: owed, indexes: [:], stale: [:], setup: setup,
      record: CycleRecord(number: 1, log: log), interruption: Interruption(), clock: clock,
      disk: disk, follow: { _ in false }
    ).run()
  }

  // MARK: Watching

  /// Runs cycles until the batches end or the task is cancelled.
  ///
  /// - Parameters:
  ///   - batches: From the batcher.
  ///   - setup: What to build, with what.
  ///   - busy: What a change does to a build that runs.
  ///   - postpones: No build at start, only the index.
  ///   - reconfigure: Given each batch before its cycle, and the setup in force: is there another?
  ///     Names the batch's cause where it is the configuration.
  ///   - follow: Lets the watch follow each new index; whether it then reaches further than before.
  /// - Throws: `LockHeld`; `CancellationError`.
  package func run(
    _ batches: AsyncStream<Batch>, setup: BuildSetup, busy: BusyPolicy.Choice = .restart,
    postpones: Bool = false,
    reconfigure: @escaping @Sendable (inout Batch, BuildSetup) async throws -> BuildSetup? = {
      _, _ in nil
    },
    follow: @escaping @Sendable (TargetIndex) async -> Bool = { _ in false }
  ) async throws {
    var setup = setup
    var state = LoopState(backlog: Backlog(images: setup.images, disk: disk), busy: busy)
    var moments = IndexMoments()
    let history = BuildHistory()
    // Bounded by what can wait: the loop takes batches at once and merges those that come while
    // a cycle runs; all else comes one at a time.
    let (signals, mailbox) = AsyncStream.makeStream(of: Signal.self)
    // The newest is enough: each says all.
    let (snapshots, keep) = AsyncStream.makeStream(
      of: SavedIndexes.Snapshot.self, bufferingPolicy: .bufferingNewest(1))
    let began = SavedIndexes.now
    for restored in await saved?.restore(setup.images, follow: follow) ?? [] {
      state.restore(restored)
      moments.restored(restored, at: began)
    }
    if postpones {
      let indexes = try await index(state.backlog, setup: setup, follow: follow)
      for index in indexes { moments.adopted(index, at: began) }
      mailbox.yield(.indexed(indexes))
    } else {
      mailbox.yield(.batch(state.first))
    }

    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await batch in batches { mailbox.yield(.batch(batch)) }
        mailbox.yield(.batchesEnded)
      }
      if let saved {
        group.addTask {
          for await snapshot in snapshots { saved.save(snapshot) }
        }
      }
      defer { group.cancelAll() }
      var cycle: (began: Double, record: CycleRecord, interruption: Interruption)?
      for await signal in signals {
        let actions: [LoopState.Action]
        switch signal {
        case .batch(let batch):
          actions = state.receive(batch, unfinished: cycle?.record.unfinished ?? [])
        case .cycleEnded(let result):
          let outcome = try result.get()
          if let problem = outcome.lockProblem { throw LockHeld(problem) }
          actions = state.cycleEnded(outcome)
          for index in outcome.indexes {
            moments.adopted(index, at: cycle?.began ?? began)
          }
          cycle = nil
        case .retryDue(let isAvailable): actions = state.retryDue(isAvailable: isAvailable)
        case .indexed(let indexes): actions = state.postponed(indexes)
        case .batchesEnded: return
        }
        if cycle == nil, let snapshot = moments.unsaved(state.backlog) { keep.yield(snapshot) }
        for action in actions {
          switch action {
          case .interrupt: cycle?.interruption.interrupt()
          case .tellReady: log.record(.ready)
          case .retry(let wait):
            group.addTask { [setup] in
              try await clock.pause(for: wait)
              mailbox.yield(.retryDue(await setup.areRuntimesAvailable()))
            }
          case .consider(var batch):
            if let changed = try await reconfigure(&batch, setup) {
              if changed.images != setup.images { state.configure(changed.images) }
              setup = changed
            }
            guard let start = state.start(batch) else { continue }
            let record = CycleRecord(number: start.number, log: log, history: history)
            let interruption = Interruption()
            cycle = (SavedIndexes.now, record, interruption)
            let work = Cycle(
              batch: start.batch, owed: start.owed, indexes: state.backlog.indexes,
              stale: state.backlog.stale, setup: setup, record: record,
              interruption: interruption, clock: clock, disk: disk, follow: follow)
            group.addTask {
              do {
                mailbox.yield(.cycleEnded(.success(try await work.run())))
              } catch {
                mailbox.yield(.cycleEnded(.failure(error)))
              }
            }
          }
        }
      }
      try Task.checkCancellation()
    }
  }

  /// The indexes alone, for a start without a build.
  private func index(
    _ backlog: Backlog, setup: BuildSetup, follow: @escaping @Sendable (TargetIndex) async -> Bool
  ) async throws -> [TargetIndex] {
    let record = CycleRecord(number: nil, log: log)
    let refresh = IndexRefresh(
      setup: setup, record: record, interruption: Interruption(), clock: clock,
      follow: follow)
    let indexes = try await refresh.run(backlog.stale)
    if let problem = record.lockProblem { throw LockHeld(problem) }
    return indexes
  }
}

/// Another command holds Bazel's lock, and we were told not to wait for it.
package struct LockHeld: Error, Hashable, Sendable, CustomStringConvertible {
  /// One line: who holds it and what to do.
  package let description: String

  init(_ description: String) { self.description = description }
}
