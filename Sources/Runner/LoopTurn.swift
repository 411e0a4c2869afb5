import Basics
import Batching
import Bazel
import Events
import Graph
import Runtimes
import Synchronization

/// The edge of the loop: hands signals to its state, and does what that decides. Confined to the loop's own task.
struct LoopTurn<C: Clock<Duration>> {
  typealias Signal = BuildLoop<C>.Signal

  /// The cycle under way.
  private struct Running {
    var began: Double
    var record: CycleRecord
    var interruption: Interruption
  }

  let loop: BuildLoop<C>
  private(set) var state: LoopState
  private var setup: BuildSetup
  private var moments: IndexMoments
  private let read: BuildLoop<C>.Reader
  private let follow: @Sendable (TargetIndex) async -> Bool
  private let mailbox: AsyncStream<Signal>.Continuation
  private let history = BuildHistory()
  private let steps = StepsUnderway()
  /// What Bazel said while the configuration was read: for the cycle that follows.
  private let heard = HeardUpdates()
  private var running: Running?
  private let began = FileClock.now
  private let log = LoopLog()
  private let audience: Audience
  /// When what failed is tried again; seconds since 1970.
  private var due: [Retries.Lane: Double] = [:]

  init(
    loop: BuildLoop<C>, state: LoopState, setup: BuildSetup, moments: IndexMoments,
    heard: [BuildUpdate] = [], read: @escaping BuildLoop<C>.Reader,
    follow: @escaping @Sendable (TargetIndex) async -> Bool,
    mailbox: AsyncStream<Signal>.Continuation, audience: Audience = Audience()
  ) {
    self.loop = loop
    self.state = state
    self.setup = setup
    self.moments = moments
    self.read = read
    self.follow = follow
    self.mailbox = mailbox
    self.audience = audience
    for update in heard { self.heard.add(update) }
  }

  /// What Bazel said that no cycle has told.
  func takeHeard() -> [BuildUpdate] { heard.take() }

  // MARK: Signals

  mutating func begin(in group: inout ThrowingDiscardingTaskGroup<any Error>) {
    perform(state.begin(), in: &group)
    show()
  }

  /// - Returns: Whether the loop goes on.
  /// - Throws: `LockHeld`; what a cycle or a reading threw.
  mutating func take(
    _ signal: Signal, in group: inout ThrowingDiscardingTaskGroup<any Error>
  ) throws -> Bool {
    state.waits.forget(audience.departed())
    let goesOn = try act(on: signal, in: &group)
    perform(state.answers(), in: &group)
    show()
    return goesOn
  }

  private mutating func act(
    on signal: Signal, in group: inout ThrowingDiscardingTaskGroup<any Error>
  ) throws -> Bool {
    switch signal {
    case .batch(let batch):
      log.tell(batch, affecting: state.backlog)
      perform(state.receive(batch, unfinished: running?.record.unfinished ?? []), in: &group)
    case .batchesEnded:
      return false
    case .readingEnded(let result):
      try readingEnded(result.get(), in: &group)
    case .refreshed(let indexes, let answer):
      for index in indexes { moments.adopted(index, at: running?.began ?? began) }
      answer.yield(state.refreshed(indexes))
    case .learned(let contents):
      state.learn(contents)
    case .told(let kind):
      var stage: Stage?
      switch kind {
      case .image(let event): stage = running?.record.stage(of: event.image)
      case .rollout(let event): stage = running?.record.stage(of: event.image)
      default: break
      }
      state.told(kind, reaching: stage, at: FileClock.now)
    case .cycleEnded(let result):
      let outcome = try result.get()
      log.tell(outcome)
      if let problem = outcome.lockProblem { throw LockHeld(problem) }
      for index in outcome.indexes { moments.adopted(index, at: running?.began ?? began) }
      running = nil
      let actions = state.cycleEnded(outcome)
      let wait = actions.lazy.compactMap { action in
        if case .retry(.bazel, let wait) = action { wait } else { Duration?.none }
      }.first
      for reason in outcome.waitingTexts(retriedAfter: wait) {
        loop.record(.degraded(reason: reason))
      }
      perform(actions, in: &group)
    case .retryDue(let lane, let isAvailable):
      due[lane] = nil
      perform(state.retryDue(lane, isAvailable: isAvailable), in: &group)
    case .indexed(let indexes):
      for index in indexes { moments.adopted(index, at: began) }
      perform(state.postponed(indexes), in: &group)
    }
    return true
  }

  /// Shows how things are now.
  private func show() {
    var snapshot = state.snapshot
    for index in snapshot.retries.indices {
      snapshot.retries[index].time = due[snapshot.retries[index].lane]
    }
    audience.show(snapshot)
  }

  /// What the next run is to find, if it is other than what was saved last.
  mutating func unsaved() -> SavedIndexes.Snapshot? {
    running == nil ? moments.unsaved(state.backlog) : nil
  }

  private mutating func readingEnded(
    _ outcome: ReadingOutcome, in group: inout ThrowingDiscardingTaskGroup<any Error>
  ) {
    switch outcome {
    case .failed(let isTransient):
      perform(state.readingFailed(isTransient: isTransient), in: &group)
    case .read(let changed):
      let images = changed.flatMap { $0.images == setup.images ? nil : $0.images }
      if let changed { setup = changed }
      if let images { setup.held.keep(Set(images.map(\.name))) }
      perform(state.readingEnded(images), in: &group)
    }
    // Where no cycle came of it, the one under way tells it, so that it stands between its ends.
    for update in heard.take() {
      if let running { running.record.record(update) } else { loop.record(update) }
    }
  }

  // MARK: Actions

  private mutating func perform(
    _ actions: [LoopState.Action], in group: inout ThrowingDiscardingTaskGroup<any Error>
  ) {
    for action in actions {
      log.tell(action)
      switch action {
      case .interrupt: running?.interruption.interrupt()
      case .outdate(let images): steps.outdate(images)
      case .read(let reading): self.read(reading, in: &group)
      case .start(let start): run(start, in: &group)
      case .tellReady: loop.record(.ready)
      case .tellUnaffected(let batch): loop.record(.unaffected(Event.Unaffected(batch, setup)))
      case .tellSelfWritten(let files): loop.record(.selfWritten(files, setup))
      case .tellPaused: loop.record(.paused(reason: "builds are held until 'watchbuild resume'"))
      case .tellResumed: loop.record(.resumed(reason: "saves are built again"))
      case .answer(let id, let answer): audience.answer(id, answer)
      case .retry(let lane, let wait):
        due[lane] = FileClock.now + Double(wait.milliseconds) / 1000
        retry(lane, after: wait, in: &group)
      }
    }
  }

  private func read(
    _ reading: Reading, in group: inout ThrowingDiscardingTaskGroup<any Error>
  ) {
    group.addTask { [read, setup, heard, mailbox] in
      do {
        let outcome = try await read(reading, setup) { heard.add($0) }
        mailbox.yield(.readingEnded(.success(outcome)))
      } catch {
        mailbox.yield(.readingEnded(.failure(error)))
      }
    }
  }

  private mutating func run(
    _ start: LoopState.Start, in group: inout ThrowingDiscardingTaskGroup<any Error>
  ) {
    let record = loop.cycleRecord(start.number, history, setup.kept) { [mailbox] in
      mailbox.yield(.told($0))
    }
    let interruption = Interruption()
    running = Running(began: FileClock.now, record: record, interruption: interruption)
    let cycle = loop.cycle(
      start, state: state, setup: setup, record: record, interruption: interruption, steps: steps,
      heard: heard.take(), mailbox: mailbox, follow: follow)
    group.addTask { [mailbox] in
      do {
        mailbox.yield(.cycleEnded(.success(try await cycle.run())))
      } catch {
        mailbox.yield(.cycleEnded(.failure(error)))
      }
    }
  }

  private func retry(
    _ lane: Retries.Lane, after wait: Duration,
    in group: inout ThrowingDiscardingTaskGroup<any Error>
  ) {
    group.addTask { [loop, setup, mailbox] in
      // Cancelled with the loop: then nobody waits for it.
      guard (try? await loop.pause(for: wait)) != nil else { return }
      var isAvailable = true
      if case .runtime(let name) = lane {
        isAvailable = await !setup.availableRuntimes(among: [name]).isEmpty
      }
      mailbox.yield(.retryDue(lane, isAvailable: isAvailable))
    }
  }
}

/// What Bazel says while something is read outside a cycle; any task may add.
private final class HeardUpdates: Sendable {
  private let updates = Mutex<[BuildUpdate]>([])

  func add(_ update: BuildUpdate) { updates.withLock { $0.append(update) } }

  func take() -> [BuildUpdate] {
    updates.withLock { updates in
      defer { updates = [] }
      return updates
    }
  }
}
