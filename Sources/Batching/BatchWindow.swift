package import Basics
import Graph
package import Watcher

/// When a batch closes: after `debounce` of quiet, and at the latest `maxDelay` after its first
/// change; held open, with a bound of its own, while version control rewrites the tree.
///
/// A value without clock: a shell tells it the time.
package struct BatchWindow<Instant: InstantProtocol<Duration>>: Sendable {
  package struct Limits: Hashable, Sendable {
    package var debounce: Duration
    package var maxDelay: Duration
    /// At the latest so long after the first change, whatever holds the window open.
    package var maxHold: Duration

    package init(debounce: Duration, maxDelay: Duration, maxHold: Duration = .seconds(10)) {
      self.debounce = debounce
      self.maxDelay = maxDelay
      self.maxHold = maxHold
    }
  }

  private struct Open: Sendable {
    var first: Instant
    var deadline: Instant
    var batch: Batch
    var changes = ChangeSet()
    /// A Bazel command of ours ran since the window opened.
    var sawCommand: Bool
    /// There was something besides changes of files.
    var isForced = false

    /// Version control may hold it open: it has changes, and nobody wants it closed.
    var canBeHeld: Bool {
      [.change, .overflow].contains(batch.cause) && (isForced || !changes.isEmpty)
        && !batch.requests.contains(where: \.isPause)
    }
  }

  /// An open window as it is known before it closes.
  package struct Glance: Hashable, Sendable {
    /// The number of paths that have changed.
    package var changes: Int
    /// It has been open for so long.
    package var age: Duration
  }

  private let limits: Limits
  private var open: Open?
  private var runningCommands = 0

  package init(limits: Limits) { self.limits = limits }

  package var isCommandRunning: Bool { runningCommands > 0 }

  /// - Returns: `nil` where no window is open.
  package func glance(at now: Instant) -> Glance? {
    open.map { Glance(changes: $0.changes.changes.count, age: $0.first.duration(to: now)) }
  }

  /// When to look again; `nil`: nothing has happened.
  package var deadline: Instant? { open?.deadline }

  /// - Parameters:
  ///   - event: From the watcher, in order.
  ///   - now: When it came.
  ///   - content: The content of a changed file as it was looked at now; `nil`: nobody looked.
  package mutating func add(
    _ event: WatchEvent, at now: Instant, seeing content: FileContent? = nil
  ) {
    switch event {
    case .changed(let change):
      let isRunning = isCommandRunning
      extend(.change, at: now) {
        $0.changes.add(change, forgetsPassing: !$0.sawCommand)
        $0.batch.sightings.append(
          Sighting(
            path: change.path, content: content, isRepeated: change.isRepeated,
            isDuringCommand: isRunning))
      }
    case .marked(.commandBegan):
      runningCommands += 1
      open?.sawCommand = true
      for index in open?.batch.sightings.indices ?? 0..<0 {
        open?.batch.sightings[index].precedesCommand = true
      }
    case .marked(.commandEnded):
      runningCommands = max(0, runningCommands - 1)
    case .overflowed, .rootReturned:
      // What was lost can't be told, so everything is built; Bazel settles what really changed.
      extend(.overflow, at: now) {
        $0.batch.affectsEverything = true
        $0.isForced = true
      }
    case .marked(.asked), .degraded, .rootLost:
      // Without a root there is nothing to build. What is asked comes by `take`.
      break
    }
  }

  /// Takes in a request. One that builds or pauses closes the window at once; one that waits leaves it open.
  package mutating func take(_ request: Request, at now: Instant) {
    switch request.demand {
    case .rebuild(let images, let cause):
      extend(cause, at: now) {
        $0.isForced = true
        $0.batch.requested.formUnion(images)
        $0.batch.affectsEverything = $0.batch.affectsEverything || images.isEmpty
        $0.deadline = now
      }
    case .trigger(let images, _):
      extend(.trigger, at: now) {
        $0.isForced = true
        $0.batch.requested.formUnion(images)
        $0.batch.isTriggered = true
        $0.batch.requests.append(request)
        $0.deadline = now
      }
    case .wait, .pause, .resume, .synchronize:
      let closesNow = open == nil || request.isPause
      extend(.change, at: now, isChange: false) {
        $0.batch.requests.append(request)
        if closesNow { $0.deadline = now }
      }
    }
  }

  /// Closes the window if its time has come.
  ///
  /// - Parameters:
  ///   - now: The time of the question.
  ///   - isHeld: Version control is rewriting the tree: wait for it, up to `maxHold`.
  /// - Returns: The batch, or `nil` when nothing is left of it or it is to stay open until
  ///   `deadline`.
  package mutating func close(at now: Instant, isHeld: Bool = false) -> Batch? {
    guard var closing = open, now >= closing.deadline else { return nil }
    let bound = closing.first.advanced(by: limits.maxHold)
    if isHeld, now < bound, closing.canBeHeld {
      closing.deadline = min(now.advanced(by: limits.debounce), bound)
      open = closing
      return nil
    }
    open = nil
    // Temporary files came and went, nothing else.
    guard closing.isForced || !closing.changes.isEmpty || !closing.batch.requests.isEmpty
    else { return nil }
    closing.batch.isHoldOverdue = isHeld && now >= bound && closing.canBeHeld
    closing.batch.sightings.removeAll { !closing.changes.contains($0.path) }
    closing.batch.take(closing.changes)
    closing.batch.window = closing.first.duration(to: now)
    return closing.batch
  }

  /// - Parameter isChange: It moves the deadline of a window that is open.
  private mutating func extend(
    _ cause: Batch.Cause, at now: Instant, isChange: Bool = true, _ change: (inout Open) -> Void
  ) {
    var window =
      open
      ?? Open(first: now, deadline: now, batch: Batch(cause: cause), sawCommand: isCommandRunning)
    // Else what it has collected would be copied for each change.
    open = nil
    if isChange {
      window.batch.weigh(cause)
      window.deadline = min(
        now.advanced(by: limits.debounce), window.first.advanced(by: limits.maxDelay))
    }
    change(&window)
    open = window
  }
}
