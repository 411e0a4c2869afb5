import Basics
package import Batching
package import Bazel
package import Events
package import Graph
package import Runner
import Runtimes
import Synchronization
package import Watcher

/// One run of `dev`: ties watcher, batcher and loop together.
///
/// Saves and requests take one road: a request is a mark in the watcher's stream, behind every change that was made
/// before it. So whatever is asked is asked of the files of that moment, or of later ones.
package final class Session<C: Clock<Duration>>: Sendable {
  /// The rules of a session.
  package struct Rules: Sendable {
    package var window: BatchWindow<C.Instant>.Limits
    package var busy = BusyPolicy.Choice.restart
    /// No build at start.
    package var postpones = false
    /// Only a trigger builds.
    package var isManual = false
    package var definitions = Definitions()
    /// Where the next run finds what this one knows.
    package var saved: SavedIndexes?
    /// Tells whether version control is rewriting the tree.
    package var isHeld: @Sendable () -> Bool = { false }

    package init(window: BatchWindow<C.Instant>.Limits) { self.window = window }
  }

  /// The work that a session leaves to whoever runs it.
  package struct Errands: Sendable {
    package var read: BuildLoop<C>.Reader = { _, _, _ in .read(nil) }
    /// Lets the watch follow an index.
    package var follow: @Sendable (TargetIndex) async -> Bool = { _ in false }
    /// Told of each event of the watcher.
    package var tell: @Sendable (WatchEvent) -> Void = { _ in }
    /// Told of a batch that closed although version control holds its lock.
    package var overdue: @Sendable (Batch) -> Void = { _ in }

    package init() {}
  }

  /// The state of a session.
  package struct State: Sendable {
    package var loop = LoopState.Snapshot()
    package var window: BatchWindow<C.Instant>.Glance?
  }

  private typealias Input = Batcher<C>.Input

  private let log: EventHub
  private let clock: C
  private let source: any ChangeSource
  private let desk = RequestDesk()
  private let current = Mutex(State())

  package init(log: EventHub, clock: C, source: any ChangeSource) {
    self.log = log
    self.clock = clock
    self.source = source
  }

  /// The state as of the loop's last signal.
  package var state: State { current.withLock { $0 } }

  // MARK: Asking

  /// Asks the loop, and waits for the answer; a task that is cancelled waits no longer.
  ///
  /// May be called before `run`, which then answers, and after it, which is told.
  package func ask(_ demand: Request.Demand) async -> Answer {
    guard let (id, answers) = desk.ask(demand) else { return .verdict(Verdict(.stopping)) }
    defer { desk.leave(id) }
    await source.mark(.asked(id))
    for await answer in answers { return answer }
    return .verdict(Verdict(.stopping))
  }

  /// Has images built although nothing changed.
  ///
  /// - Parameter images: Names; none: all.
  package func request(_ images: Set<String>, cause: Batch.Cause) async {
    guard let id = desk.post(.rebuild(images, cause: cause)) else { return }
    await source.mark(.asked(id))
  }

  /// Returns when every change made before the call is known to the loop, and what it affects is owed.
  package func synchronize() async { _ = await ask(.synchronize) }

  // MARK: Running

  /// Runs until the watcher stops or the task is cancelled. To be called once.
  ///
  /// - Parameter heard: What Bazel said before, of what is to be built.
  /// - Throws: `LockHeld`; `CancellationError`.
  package func run(
    _ setup: BuildSetup, by rules: Rules, errands: Errands, heard: [BuildUpdate] = []
  ) async throws {
    defer { desk.close() }
    // Both are read without delay; the watcher bounds what it sends and the loop merges batches.
    let (inputs, input) = AsyncStream.makeStream(of: Input.self)
    let (batches, batch) = AsyncStream.makeStream(of: Batch.self)
    let batcher = Batcher(
      limits: rules.window, clock: clock, isHeld: rules.isHeld, look: FileContent.look,
      glanced: { glance in self.current.withLock { $0.window = glance } })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        await self.source.events { events in
          for event in events { errands.tell(event) }
          self.pass(events, to: input)
        }
      }
      group.addTask {
        await batcher.run(inputs) { closed in
          if closed.isHoldOverdue { errands.overdue(closed) }
          batch.yield(closed)
        }
      }
      for runtime in setup.runtimes {
        group.addTask {
          await LossWatch(runtime, held: setup.held, clock: self.clock).run { lost in
            for image in lost { self.log.record(.degraded(reason: "\(image)")) }
            await self.request(Set(lost.map(\.image)), cause: .retry)
          }
        }
      }
      defer { group.cancelAll() }
      try await BuildLoop(log: log, clock: clock, saved: rules.saved).run(
        batches, setup: setup, busy: rules.busy, postpones: rules.postpones,
        isManual: rules.isManual, audience: audience, heard: heard,
        definitions: rules.definitions,
        read: errands.read, follow: errands.follow)
    }
  }

  private var audience: Audience {
    Audience(
      answer: { self.desk.answer($0, $1) }, departed: { self.desk.departed() },
      show: { snapshot in self.current.withLock { $0.loop = snapshot } })
  }

  /// Hands events on to the batcher, each request in its place.
  private func pass(_ events: [WatchEvent], to input: AsyncStream<Input>.Continuation) {
    var changes: [WatchEvent] = []
    for event in events {
      guard case .marked(.asked(let id)) = event else {
        changes.append(event)
        continue
      }
      if !changes.isEmpty { input.yield(.events(changes)) }
      changes = []
      if let request = desk.take(id) { input.yield(.request(request)) }
    }
    if !changes.isEmpty { input.yield(.events(changes)) }
  }
}
