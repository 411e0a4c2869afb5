package import Batching
package import SystemPackage

/// The loop: takes batches, runs one cycle at a time, and remembers what is owed.
///
/// All its state lives in one `for await` over one stream: batches, and the ends of cycles.
package struct BuildLoop<C: Clock<Duration>>: Sendable {
  private enum Signal: Sendable {
    case batch(Batch)
    case cycleEnded(Result<CycleOutcome, any Error>)
    case batchesEnded
  }

  /// A cycle under way.
  private struct Running {
    var batch: Batch
    var record: CycleRecord
    var interruption: Interruption
    /// What was owed by then is paid if the cycle succeeds.
    var moment: PendingImages.Moment
  }

  private let log: EventLog
  private let clock: C
  private let isPackage: @Sendable (FilePath) -> Bool

  /// - Parameters:
  ///   - log: Told of all that happens.
  ///   - clock: Measures.
  ///   - isPackage: Whether a directory has a BUILD file on disk.
  package init(
    log: EventLog, clock: C,
    isPackage: @escaping @Sendable (FilePath) -> Bool = PackageDirectory.exists
  ) {
    self.log = log
    self.clock = clock
    self.isPackage = isPackage
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
      isPackage: isPackage
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
  ///   - indexed: Told of each new index, so that the watch can follow it.
  /// - Throws: `LockHeld`; `CancellationError`.
  package func run(
    _ batches: AsyncStream<Batch>, setup: BuildSetup, busy: BusyPolicy.Choice = .restart,
    postpones: Bool = false,
    reconfigure: @escaping @Sendable (Batch, BuildSetup) async throws -> BuildSetup? = { _, _ in
      nil
    },
    indexed: @escaping @Sendable (TargetIndex) async -> Void = { _ in }
  ) async throws {
    var setup = setup
    var backlog = Backlog(images: setup.images, isPackage: isPackage)
    var policy = BusyPolicy(busy)
    var cycles = 0
    var running: Running?
    var waiting: Batch?
    var isReady = false

    if postpones {
      for index in try await index(backlog, setup: setup) {
        backlog.adopt(index)
        await indexed(index)
      }
      isReady = true
      log.record(.ready)
    }

    try await withThrowingTaskGroup(of: Void.self) { group in
      // Bounded by what can wait: the loop takes batches at once and merges those that come
      // while a cycle runs; cycle ends come one at a time.
      let (signals, mailbox) = AsyncStream.makeStream(of: Signal.self)
      group.addTask {
        for await batch in batches { mailbox.yield(.batch(batch)) }
        mailbox.yield(.batchesEnded)
      }
      defer { group.cancelAll() }
      if !postpones { mailbox.yield(.batch(Batch(cause: .start, affectsEverything: true))) }

      for await signal in signals {
        var next: Batch?
        switch signal {
        case .batch(let batch) where running != nil:
          let effect = backlog.receive(batch)
          waiting = waiting.merged(with: batch)
          if let running,
            policy.interrupts(affected: effect.images, unfinished: running.record.unfinished)
          {
            running.interruption.interrupt()
          }
        case .batch(let batch):
          next = batch
        case .cycleEnded(let result):
          let outcome = try result.get()
          let ended = running
          if let problem = outcome.lockProblem { throw LockHeld(problem) }
          for index in outcome.indexes {
            backlog.adopt(index)
            await indexed(index)
          }
          if !outcome.isInterrupted { backlog.indexFailed() }
          if let moment = ended?.moment {
            for image in outcome.current { backlog.settle(image, asOf: moment) }
          }
          if !outcome.isInterrupted { policy.buildFinished() }
          running = nil
          if !isReady, !outcome.isInterrupted {
            isReady = true
            log.record(.ready)
          }
          // What came meanwhile is mapped again: the cycle's index may know more. What a cycle
          // was interrupted in is owed still.
          next = outcome.isInterrupted ? waiting ?? ended?.batch : waiting
          waiting = nil
          if busy == .ignore, let ignored = next {
            backlog.receive(ignored)
            next = nil
          }
        case .batchesEnded:
          return
        }

        guard let batch = next else { continue }
        if let changed = try await reconfigure(batch, setup) {
          let isOther = changed.images != setup.images
          setup = changed
          if isOther { backlog.configure(setup.images) }
        }
        let effect = backlog.receive(batch)
        let owed = backlog.pending.names
        guard !owed.isEmpty,
          !effect.images.isEmpty || effect.isStale || batch.cause == .configuration
        else { continue }
        cycles += 1
        let record = CycleRecord(number: cycles, log: log)
        let interruption = Interruption()
        running = Running(
          batch: batch, record: record, interruption: interruption, moment: backlog.pending.now)
        let cycle = Cycle(
          batch: batch, owed: owed, indexes: backlog.indexes, stale: backlog.stale,
          setup: setup, record: record,
          interruption: interruption, clock: clock, isPackage: isPackage)
        group.addTask {
          do {
            mailbox.yield(.cycleEnded(.success(try await cycle.run())))
          } catch {
            mailbox.yield(.cycleEnded(.failure(error)))
          }
        }
      }
      try Task.checkCancellation()
    }
  }

  /// The indexes alone, for a start without a build.
  private func index(_ backlog: Backlog, setup: BuildSetup) async throws -> [TargetIndex] {
    let record = CycleRecord(number: nil, log: log)
    let refresh = IndexRefresh(
      setup: setup, record: record, interruption: Interruption(), clock: clock)
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

extension Optional<Batch> {
  fileprivate func merged(with batch: Batch) -> Batch {
    guard var merged = self else { return batch }
    merged.merge(batch)
    return merged
  }
}
