import Basics
package import Batching
package import Bazel
package import Events
package import Graph
import Synchronization
import SystemPackage

/// The loop: takes batches, runs one cycle at a time, and remembers what is owed.
///
/// All its state lives in one `for await` over one stream: batches, and the ends of what it started.
package struct BuildLoop<C: Clock<Duration>>: Sendable {
  /// Reads the configuration again, or asks which images there are.
  ///
  /// Is given what to read, the setup in force, and a place for what Bazel says meanwhile.
  package typealias Reader =
    @Sendable (
      Reading, BuildSetup, @escaping @Sendable (BuildUpdate) -> Void
    ) async throws -> ReadingOutcome

  enum Signal: Sendable {
    case batch(Batch)
    case batchesEnded
    case readingEnded(Result<ReadingOutcome, any Error>)
    /// The cycle under way has new indexes, and waits for what they add to what it owes.
    case refreshed([TargetIndex], AsyncStream<Set<String>>.Continuation)
    case learned([FilePath: FileContent])
    /// The cycle under way has told something.
    case told(Event.Kind)
    case cycleEnded(Result<CycleOutcome, any Error>)
    /// Whether what failed can be tried now.
    case retryDue(Retries.Lane, isAvailable: Bool)
    case indexed([TargetIndex])
  }

  private let log: EventHub
  private let clock: C
  private let disk: DiskQuestions
  private let saved: SavedIndexes?

  /// - Parameters:
  ///   - log: Told of all that happens.
  ///   - clock: Measures.
  ///   - disk: What is asked of the disk when a change is mapped.
  ///   - saved: Where the next run finds what this one knows; `nil`: nowhere.
  package init(
    log: EventHub, clock: C, disk: DiskQuestions = .disk, saved: SavedIndexes? = nil
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
  ///   - heard: What Bazel said before of what is to be built.
  /// - Returns: What became of each.
  /// - Throws: `CancellationError`.
  package func once(
    _ images: Set<String>? = nil, with setup: BuildSetup, history: BuildHistory = BuildHistory(),
    heard: [BuildUpdate] = []
  ) async throws
    -> CycleOutcome
  {
    let owed = images ?? Set(setup.images.map(\.name))
    let start = LoopState.Start(number: 1, batch: Batch(cause: .start), owed: owed)
    let outcome = try await Cycle(
      start: start, indexes: [:], stale: [:], setup: setup,
      record: CycleRecord(number: 1, log: log, history: history, kept: setup.kept),
      interruption: Interruption(),
      clock: clock, follow: { _ in false }, refreshed: { _ in owed }, isWatched: false, heard: heard
    ).run()
    for reason in outcome.waitingTexts(retriedAfter: nil) { record(.degraded(reason: reason)) }
    return outcome
  }

  // MARK: Watching

  /// Runs cycles until the batches end or the task is cancelled.
  ///
  /// - Parameters:
  ///   - batches: From the batcher.
  ///   - setup: What to build, with what.
  ///   - busy: What a change does to a build that runs.
  ///   - postpones: No build at start, only the index.
  ///   - heard: What Bazel said before the start of what is to be built: told in the first cycle.
  ///   - isManual: Only a trigger builds.
  ///   - audience: Who is told what the loop does.
  ///   - definitions: Which changes ask for `read`.
  ///   - read: Gives the setup anew.
  ///   - follow: Lets the watch follow each new index; whether it then reaches further than before.
  /// - Throws: `LockHeld`; `CancellationError`.
  package func run(
    _ batches: AsyncStream<Batch>, setup: BuildSetup, busy: BusyPolicy.Choice = .restart,
    postpones: Bool = false, isManual: Bool = false, audience: Audience = Audience(),
    heard: [BuildUpdate] = [], definitions: Definitions = Definitions(),
    read: @escaping Reader = { _, _, _ in .read(nil) },
    follow: @escaping @Sendable (TargetIndex) async -> Bool = { _ in false }
  ) async throws {
    // Bounded by what can wait: the loop takes batches at once and merges those that come while
    // a cycle runs; all else comes one at a time.
    let (signals, mailbox) = AsyncStream.makeStream(of: Signal.self)
    // The newest is enough: each says all.
    let (snapshots, keep) = AsyncStream.makeStream(
      of: SavedIndexes.Snapshot.self, bufferingPolicy: .bufferingNewest(1))
    let began = FileClock.now
    var state = LoopState(
      backlog: Backlog(images: setup.images, disk: disk), busy: busy, definitions: definitions,
      isManual: isManual)
    var moments = IndexMoments()
    for restored in await saved?.restore(setup.images, follow: follow) ?? [] {
      state.restore(restored)
      state.learn(FileContent.contents(of: restored.index, before: began))
      moments.restored(restored, at: began)
    }
    var turn = LoopTurn(
      loop: self, state: state, setup: setup, moments: moments, heard: heard, read: read,
      follow: follow, mailbox: mailbox, audience: audience)
    if postpones {
      // No cycle tells it.
      for update in turn.takeHeard() { record(update) }
      let indexes = try await index(turn.state.backlog, setup: setup, follow: follow)
      mailbox.yield(.indexed(indexes))
    }
    try await withThrowingDiscardingTaskGroup { group in
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
      if !postpones { turn.begin(in: &group) }
      for await signal in signals {
        guard try turn.take(signal, in: &group) else { break }
        if let snapshot = turn.unsaved() { keep.yield(snapshot) }
      }
      // Batches end with the task, too, and then their end may be told first.
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

  // MARK: What a turn starts

  func record(_ kind: Event.Kind) { log.record(kind) }

  func record(_ update: BuildUpdate) { log.record(update) }

  func cycleRecord(
    _ number: Int, _ history: BuildHistory, _ kept: KeptOutput?,
    telling told: @escaping @Sendable (Event.Kind) -> Void
  ) -> CycleRecord {
    CycleRecord(number: number, log: log, history: history, kept: kept, told: told)
  }

  func pause(for wait: Duration) async throws { try await clock.pause(for: wait) }

  func cycle(
    _ start: LoopState.Start, state: LoopState, setup: BuildSetup, record: CycleRecord,
    interruption: Interruption, steps: StepsUnderway, heard: [BuildUpdate],
    mailbox: AsyncStream<Signal>.Continuation,
    follow: @escaping @Sendable (TargetIndex) async -> Bool
  ) -> Cycle<C> {
    Cycle(
      start: start, indexes: state.backlog.indexes, stale: state.backlog.stale, setup: setup,
      record: record, interruption: interruption, clock: clock, follow: follow,
      refreshed: { indexes in
        // A loop that is cancelled answers no more; then so is the cycle.
        let (answers, answer) = AsyncStream.makeStream(of: Set<String>.self)
        mailbox.yield(.refreshed(indexes, answer))
        for await owed in answers { return owed }
        return start.owed
      },
      learned: { mailbox.yield(.learned($0)) }, steps: steps, heard: heard)
  }
}

/// Another command holds Bazel's lock, and we were told not to wait for it.
package struct LockHeld: Error, Hashable, Sendable, CustomStringConvertible {
  /// One line: who holds it and what to do.
  package let description: String

  init(_ description: String) { self.description = description }
}
