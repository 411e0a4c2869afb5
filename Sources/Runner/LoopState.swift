import Batching
import Watcher

/// What the loop knows between two signals, and what it decides at each: a value, without clock,
/// task or process.
struct LoopState: Sendable {
  enum Action: Sendable {
    /// Interrupt the cycle under way.
    case interrupt
    /// See whether this batch asks for a cycle.
    case consider(Batch)
    /// Start-up is over.
    case tellReady
    /// Look again, so much later, whether the runtimes can be reached.
    case retry(after: Duration)
  }

  /// A cycle to be run.
  struct Start: Sendable {
    var number: Int
    var batch: Batch
    var owed: Set<String>
  }

  private(set) var backlog: Backlog
  private var policy: BusyPolicy
  private var cycles = 0
  /// The cycle under way: what started it, and the moment up to which its success pays debts.
  private var running: (batch: Batch, moment: PendingImages.Moment)?
  /// What came while it runs.
  private var waiting: Batch?
  private var isReady = false
  /// Images that failed of something that no save will mend: a runtime that was down, a killed
  /// Bazel server.
  private var retryable: Set<String> = []
  private var backoff = Backoff()
  private var isRetryPlanned = false
  /// What changed while nobody watched.
  private var found: [FileChange] = []

  init(backlog: Backlog, busy: BusyPolicy.Choice) {
    self.backlog = backlog
    policy = BusyPolicy(busy)
  }

  // MARK: Start

  /// Takes over what an earlier run knew, and what has changed since.
  mutating func restore(_ saved: IndexFile.Saved) {
    backlog.adopt(saved.index)
    found += saved.changes
    backlog.receive(Batch(cause: .start, changes: saved.changes, requested: saved.owed))
  }

  /// Everything is built once: a runtime may have lost what it was given.
  var first: Batch { Batch(cause: .start, changes: found, affectsEverything: true) }

  /// Takes over indexes that were made without a cycle: nothing is to be built at start.
  ///
  /// What changed while nobody watched is owed, to the first cycle.
  mutating func postponed(_ indexes: [TargetIndex]) -> [Action] {
    for index in indexes { backlog.adopt(index) }
    backlog.receive(Batch(cause: .start, changes: found))
    // They were made after these changes.
    for index in indexes { backlog.adopt(index) }
    isReady = true
    return [.tellReady]
  }

  // MARK: Signals

  /// - Parameters:
  ///   - batch: What the batcher closed.
  ///   - unfinished: Images of the cycle under way that are neither done nor failed.
  mutating func receive(_ batch: Batch, unfinished: Set<String>) -> [Action] {
    guard running != nil else { return [.consider(batch)] }
    let affected = backlog.receive(batch).images
    waiting = merged(waiting, batch)
    return policy.interrupts(affected: affected, unfinished: unfinished) ? [.interrupt] : []
  }

  mutating func cycleEnded(_ outcome: CycleOutcome) -> [Action] {
    guard let ended = running else { preconditionFailure("a cycle ended that never began") }
    running = nil
    for index in outcome.indexes { backlog.adopt(index) }
    for image in outcome.current { backlog.settle(image, asOf: ended.moment) }
    retryable.subtract(outcome.current)
    retryable.formUnion(outcome.troubled.union(outcome.failedLoads.keys))
    if retryable.isEmpty { backoff.reset() }

    // What came meanwhile is mapped again: the cycle's index may know more. So is what a cycle
    // was interrupted in, which is owed still.
    var next = waiting
    waiting = nil
    if outcome.isInterrupted {
      next = next.map { merged(ended.batch, $0) } ?? ended.batch
    } else {
      backlog.indexFailed()
      policy.buildFinished()
    }
    if policy.choice == .ignore, let ignored = next {
      backlog.receive(ignored)
      next = nil
    }
    return readiness(outcome) + (next.map { [.consider($0)] } ?? retry())
  }

  /// - Parameter isAvailable: All runtimes can be reached.
  mutating func retryDue(isAvailable: Bool) -> [Action] {
    isRetryPlanned = false
    guard running == nil, !retryable.isEmpty else { return [] }
    return isAvailable ? [.consider(Batch(cause: .trigger, requested: retryable))] : retry()
  }

  /// Decides whether a batch starts a cycle, now that the configuration has been looked at.
  mutating func start(_ batch: Batch) -> Start? {
    let effect = backlog.receive(batch)
    let owed = backlog.pending.names
    let isAsked = !effect.images.isEmpty || effect.isStale || batch.cause == .configuration
    guard isAsked, !owed.isEmpty else { return nil }
    cycles += 1
    running = (batch, backlog.pending.now)
    return Start(number: cycles, batch: batch, owed: owed)
  }

  mutating func configure(_ images: [ImageTarget]) { backlog.configure(images) }

  // MARK: Decisions

  private mutating func readiness(_ outcome: CycleOutcome) -> [Action] {
    guard !isReady, !outcome.isInterrupted else { return [] }
    isReady = true
    return [.tellReady]
  }

  /// Tried again by itself, ever more rarely; runtimes are asked first whether they answer.
  private mutating func retry() -> [Action] {
    guard !retryable.isEmpty, !isRetryPlanned else { return [] }
    isRetryPlanned = true
    return [.retry(after: backoff.next())]
  }

  private func merged(_ first: Batch?, _ second: Batch) -> Batch {
    guard var merged = first else { return second }
    merged.merge(second)
    return merged
  }
}
