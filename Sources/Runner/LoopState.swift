import Basics
import Batching
import Events
import Graph
import SystemPackage
import Watcher

/// What the loop knows between two signals, and what it decides at each: a value, without clock,
/// task or process.
package struct LoopState: Sendable {
  enum Action: Sendable {
    /// Interrupt the cycle under way.
    case interrupt
    /// End loads under way of these images, where that is worth it: they are to be built anew.
    case outdate(Set<String>)
    /// Read the configuration, or ask which images there are.
    case read(Reading)
    case start(Start)
    /// Start-up is over.
    case tellReady
    /// Saves that no image depends on.
    case tellUnaffected(Batch)
    /// The build writes these files itself: nothing is built for them alone any more.
    case tellSelfWritten([FilePath])
    /// Look again, so much later, whether what failed can be tried.
    case retry(Retries.Lane, after: Duration)
    /// Builds are held from now on.
    case tellPaused
    case tellResumed
    /// Somebody who asked can be answered.
    case answer(Int, Answer)
  }

  /// A cycle to be run.
  struct Start: Sendable {
    var number: Int
    var batch: Batch
    var owed: Set<String>
    /// Files that Bazel may have half seen: what is made from them is to be made again.
    var halfSeen: [FilePath] = []
  }

  enum Phase: Sendable {
    case idle
    /// The configuration, or which images there are, is being read for a batch.
    case reading(Batch)
    case building(Running)
  }

  /// The cycle under way.
  struct Running: Sendable {
    var start: Start
    /// Up to which its success pays debts.
    var moment: PendingImages.Moment
    /// Workspaces whose index the cycle asks for.
    var stale: Set<FilePath>
    var isInterrupted = false
  }

  private(set) var backlog: Backlog
  let definitions: Definitions
  /// Only a trigger builds.
  let isManual: Bool
  /// Until it is resumed, only a trigger builds.
  var isPaused = false
  private var policy: BusyPolicy
  private(set) var cycles = 0
  private(set) var phase = Phase.idle
  /// What came while something runs, or while builds are held.
  private(set) var waiting: Batch?
  /// What came while `ignore` ignored it: it goes with the next batch.
  private(set) var ignored: Batch?
  /// What is to be read before the next batch is built.
  private(set) var unread: Reading = []
  private(set) var isReady = false
  private(set) var retries = Retries()
  var reasons = DebtReasons()
  var attainments = Attainments()
  var results = Results()
  var waits = Waits()
  var departed = DepartedFiles()
  /// Who holds Bazel's lock, where it is waited for.
  var lockHolder: Event.LockAwaited?
  /// What changed while nobody watched.
  private var found: [FileChange] = []
  private var contents = KnownContents()
  private var halfSeen = HalfSeenFiles()
  private var selfWritten = SelfWrittenFiles()
  private var passing = PassingFiles()

  init(
    backlog: Backlog, busy: BusyPolicy.Choice, definitions: Definitions = Definitions(),
    isManual: Bool = false
  ) {
    self.backlog = backlog
    self.isManual = isManual
    self.definitions = definitions
    policy = BusyPolicy(busy)
  }

  // MARK: Start

  /// Takes over what an earlier run knew, and what has changed since.
  mutating func restore(_ saved: IndexFile.Saved) {
    backlog.adopt(saved.index)
    found += saved.changes
    owe(Batch(cause: .start, changes: saved.changes, requested: saved.owed))
  }

  /// Everything is built once: a runtime may have lost what it was given.
  mutating func begin() -> [Action] {
    consider(Batch(cause: .start, changes: found, affectsEverything: true))
  }

  /// Takes over indexes that were made without a cycle: nothing is to be built at start.
  ///
  /// What changed while nobody watched is owed, to the first cycle.
  mutating func postponed(_ indexes: [TargetIndex]) -> [Action] {
    for index in indexes { backlog.adopt(index) }
    owe(Batch(cause: .start, changes: found))
    // They were made after these changes.
    for index in indexes { backlog.adopt(index) }
    isReady = true
    return [.tellReady]
  }

  /// Takes over what files held before any command of ours ran.
  mutating func learn(_ found: [FilePath: FileContent]) { contents.learn(found) }

  // MARK: Signals

  /// - Parameters:
  ///   - batch: What the batcher closed.
  ///   - unfinished: Images of the cycle under way that are neither done nor failed.
  mutating func receive(_ closed: Batch, unfinished: Set<String>) -> [Action] {
    var batch = closed
    batch.requests = []
    let wasPaused = isPaused
    var actions = obey(closed.requests)
    if closed.requests.isEmpty || batch.isTriggered || !batch.isEmpty {
      actions += takeIn(batch, unfinished: unfinished)
    }
    // What was held is next, unless it has gone with the batch.
    if wasPaused, !isPaused, case .idle = phase { actions += next() }
    return actions + attend(closed.requests)
  }

  private mutating func takeIn(_ closed: Batch, unfinished: Set<String>) -> [Action] {
    let before = closed.sightings.reduce(into: [:]) { $0[$1.path] = contents[$1.path] }
    var batch = contents.takeIn(closed, isBazelsOwn: backlog.bazelsOwn)
    // Nothing but what Bazel wrote, or what was there before.
    guard !batch.isEmpty || closed.isEmpty || closed.isTriggered else { return [] }
    halfSeen.takeIn(batch, cycle: cycles) { before[$0] }
    batch.passed = passing.takeIn(batch, isUnknown: backlog.isUnknown)
    if batch.isTriggered { batch.requested.formUnion(left) }
    let backlog = backlog
    departed.takeIn(batch) { path in
      backlog.isBlind || backlog.mayKnow(path) ? backlog.images(touchedBy: path, .deleted) : nil
    }
    switch phase {
    case .idle:
      return isHeld(batch) ? hold(batch) : consider(batch)
    case .reading:
      // Owed at once, so that nobody who asks meanwhile takes the files of before for these.
      owe(batch)
      waiting = merged(waiting, batch)
      return []
    case .building(var running):
      let affected = owe(batch).images
      waiting = merged(waiting, batch)
      let urgent = backlog.affected(by: batch) { selfWritten.interrupts($0) }
      // An ignored change starts no build that would load the image anew.
      var actions: [Action] =
        affected.isEmpty || policy.choice == .ignore ? [] : [.outdate(affected)]
      // However many changes come, a build is interrupted once.
      if !running.isInterrupted, policy.interrupts(affected: urgent, unfinished: unfinished) {
        running.isInterrupted = true
        phase = .building(running)
        actions.append(.interrupt)
      }
      return actions
    }
  }

  /// The configuration, or which images there are, has been read.
  ///
  /// - Parameter images: All configured images, where they are other than before.
  mutating func readingEnded(_ images: [ImageTarget]? = nil) -> [Action] {
    unread = []
    retries.forget(.reading)
    if let images { backlog.configure(images) }
    return goOn()
  }

  /// Bazel could not tell which images there are: asked again with the next batch.
  ///
  /// - Parameter isTransient: Asked again without any change, too.
  mutating func readingFailed(isTransient: Bool) -> [Action] {
    if isTransient { retries.fail(.reading) }
    return goOn()
  }

  /// Builds what a reading was for, and what came meanwhile.
  private mutating func goOn() -> [Action] {
    guard case .reading(var batch) = phase else {
      preconditionFailure("a reading ended that never began")
    }
    phase = .idle
    if definitions.reading(after: batch).contains(.configuration) { batch.cause = .configuration }
    if isHeld(waiting.map { merged(batch, $0) } ?? batch) {
      waiting = waiting.map { merged(batch, $0) } ?? batch
      return planned()
    }
    guard let later = waiting else { return begin(batch) }
    waiting = nil
    batch = merged(batch, later)
    // What came meanwhile may be a matter for another reading.
    let more = definitions.reading(after: later)
    unread.formUnion(more)
    return more.isEmpty ? begin(batch) : read(for: batch)
  }

  /// The cycle under way has asked for the graph anew, before its build.
  ///
  /// - Returns: The images that the cycle owes, now that what changed can be told better.
  mutating func refreshed(_ indexes: [TargetIndex]) -> Set<String> {
    guard case .building(var running) = phase else { return [] }
    for index in indexes { backlog.adopt(index) }
    let effect = owe(running.start.batch)
    // They were made after these changes.
    for index in indexes { backlog.adopt(index) }
    running.start.owed.formUnion(effect.images)
    running.moment = backlog.pending.now
    phase = .building(running)
    return running.start.owed
  }

  mutating func cycleEnded(_ outcome: CycleOutcome) -> [Action] {
    guard case .building(let ended) = phase else {
      preconditionFailure("a cycle ended that never began")
    }
    phase = .idle
    for index in outcome.indexes { backlog.adopt(index) }
    for image in outcome.current.union(outcome.leftOut) {
      backlog.settle(image, asOf: ended.moment)
    }
    note(ended, outcome)
    settle(ended, outcome)
    if !outcome.found.isEmpty {
      let found = Batch(cause: .change, changes: outcome.found)
      owe(found)
      waiting = merged(waiting, found)
    }
    if outcome.isInterrupted {
      // What it was interrupted in is owed still.
      waiting = waiting.map { merged(ended.start.batch, $0) } ?? ended.start.batch
    } else {
      let answered = Set(outcome.indexes.map(\.workspace))
      backlog.indexFailed(in: ended.stale.subtracting(answered))
      policy.buildFinished()
    }
    return readiness(outcome) + next()
  }

  /// The wait for what failed is over.
  ///
  /// - Parameter isAvailable: The runtime can be reached, if it is one that failed.
  mutating func retryDue(_ lane: Retries.Lane, isAvailable: Bool) -> [Action] {
    guard retries.due(lane), case .idle = phase, !isHolding else { return [] }
    guard isAvailable else { return planned() }
    switch lane {
    case .reading:
      return consider(Batch(cause: .retry))
    case .bazel, .runtime, .rollout:
      return consider(Batch(cause: .retry, requested: retries.images(of: lane)))
    case .selfWritten:
      if backlog.pending.names.isEmpty { retries.forget(lane) }
      return consider(Batch(cause: .retry, requested: backlog.pending.names))
    }
  }

  // MARK: Holding

  /// Only a trigger builds.
  private var isHolding: Bool { isPaused || isManual }

  private func isHeld(_ batch: Batch) -> Bool { isHolding && !batch.isTriggered }

  /// Images that are owed and not being made: they failed, or were held.
  private var left: Set<String> {
    guard case .building(let running) = phase else { return backlog.pending.names }
    return backlog.pending.names.subtracting(running.start.owed)
  }

  /// Notes what a batch owes, and keeps it for the next build.
  private mutating func hold(_ batch: Batch) -> [Action] {
    let effect = owe(batch)
    let isNothing =
      effect == Effect() && batch.cause == .change && definitions.reading(after: batch).isEmpty
    if isNothing { return [.tellUnaffected(batch)] }
    waiting = merged(waiting, batch)
    return []
  }

  /// Takes in a batch: what it affects is owed from now on, and for a reason.
  @discardableResult
  private mutating func owe(_ batch: Batch) -> Effect {
    let effect = backlog.receive(batch)
    let backlog = backlog
    reasons.note(batch, affecting: effect.images) { backlog.images(affectedBy: $0) }
    return effect
  }

  // MARK: Decisions

  /// The next thing to do when nothing runs.
  private mutating func next() -> [Action] {
    guard let batch = waiting, !isHeld(batch) else { return planned() }
    waiting = nil
    if policy.choice == .ignore, !batch.isTriggered {
      ignored = merged(ignored, batch)
      return planned()
    }
    // What came meanwhile is mapped again: the cycle's index may know more.
    return consider(batch)
  }

  private mutating func consider(_ batch: Batch) -> [Action] {
    var batch = ignored.map { merged($0, batch) } ?? batch
    ignored = nil
    // What was held goes with the trigger that came.
    if let held = waiting {
      batch = merged(held, batch)
      waiting = nil
    }
    unread.formUnion(definitions.reading(after: batch))
    return unread.isEmpty ? begin(batch) : read(for: batch)
  }

  private mutating func read(for batch: Batch) -> [Action] {
    // As above: a reading takes its time.
    owe(batch)
    phase = .reading(batch)
    return [.read(unread)]
  }

  /// Starts the cycle that a batch asks for, now that the configuration has been looked at.
  private mutating func begin(_ batch: Batch) -> [Action] {
    let effect = owe(batch)
    let owed = backlog.pending.names
    let isAsked =
      !effect.images.isEmpty || effect.isStale || batch.cause == .configuration || batch.isTriggered
    guard isAsked, !owed.isEmpty else {
      let isTold = batch.cause == .change && !batch.changes.isEmpty
      return (isTold ? [.tellUnaffected(batch)] : []) + planned()
    }
    selfWritten.takeIn(batch)
    if selfWritten.holds(batch) {
      let untold = selfWritten.untold(batch)
      retries.fail(.selfWritten, backoff: Backoff(from: .seconds(60), to: .seconds(3600)))
      return (untold.isEmpty ? [] : [.tellSelfWritten(untold)]) + planned()
    }
    cycles += 1
    let start = Start(number: cycles, batch: batch, owed: owed, halfSeen: halfSeen.suspects)
    passing.commandBegins()
    phase = .building(
      Running(start: start, moment: backlog.pending.now, stale: backlog.staleWorkspaces))
    return [.start(start)]
  }

  private mutating func settle(_ ended: Running, _ outcome: CycleOutcome) {
    retries.owe(outcome.troubled.union(kept(in: .bazel, outcome)), in: .bazel)
    let failed = outcome.retriedSteps
    for lane in retries.deliveryLanes.union(failed.keys) {
      retries.owe(kept(in: lane, outcome).union(failed[lane] ?? []), in: lane)
    }
    let built = outcome.current.union(outcome.undelivered)
    halfSeen.built(in: ended.start.number) { path in
      backlog.images(affectedBy: path).isSubset(of: built)
    }
    if selfWritten.isEmpty { retries.forget(.selfWritten) }
  }

  /// What a lane owes that the cycle did not come to.
  private func kept(in lane: Retries.Lane, _ outcome: CycleOutcome) -> Set<String> {
    retries.images(of: lane).subtracting(outcome.current).subtracting(outcome.failedBuilds)
      .subtracting(outcome.undelivered).intersection(backlog.pending.names)
  }

  private mutating func readiness(_ outcome: CycleOutcome) -> [Action] {
    guard !isReady, !outcome.isInterrupted else { return [] }
    isReady = true
    return [.tellReady]
  }

  /// Tried again by itself, ever more rarely; runtimes are asked first whether they answer.
  private mutating func planned() -> [Action] {
    retries.plan().map { .retry($0.lane, after: $0.wait) }
  }

  private func merged(_ first: Batch?, _ second: Batch) -> Batch {
    guard var merged = first else { return second }
    merged.merge(second)
    return merged
  }
}
