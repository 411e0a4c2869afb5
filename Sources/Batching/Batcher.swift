package import Basics
package import SystemPackage
package import Watcher

/// Turns what happens into batches: the clock and the stream around a `BatchWindow`.
package struct Batcher<C: Clock<Duration>>: Sendable {
  /// A message to the batcher. Requests take the same road as changes and keep their order.
  package enum Input: Sendable {
    case events([WatchEvent])
    case request(Request)
  }

  private enum Signal: Sendable {
    case input(Input)
    case tick
    case ended
  }

  private let limits: BatchWindow<C.Instant>.Limits
  private let clock: C
  private let isHeld: @Sendable () -> Bool
  private let look: @Sendable (FilePath) -> FileContent?
  private let glanced: @Sendable (BatchWindow<C.Instant>.Glance?) -> Void

  /// At most so many files are looked at when so many changes come at once: more are no person's saves.
  private static var mostLooks: Int { 256 }

  /// - Parameters:
  ///   - limits: When windows close.
  ///   - clock: Tells the time and sleeps.
  ///   - isHeld: Whether version control is rewriting the tree; asked when a window is to close.
  ///   - look: Reads a file's content the moment its change is told; `nil`: it can't be told.
  ///   - glanced: Told of the window after each step; `nil`: none is open. Must not wait.
  package init(
    limits: BatchWindow<C.Instant>.Limits, clock: C,
    isHeld: @escaping @Sendable () -> Bool = { false },
    look: @escaping @Sendable (FilePath) -> FileContent? = { _ in nil },
    glanced: @escaping @Sendable (BatchWindow<C.Instant>.Glance?) -> Void = { _ in }
  ) {
    self.limits = limits
    self.clock = clock
    self.isHeld = isHeld
    self.look = look
    self.glanced = glanced
  }

  private func content(after event: WatchEvent) -> FileContent? {
    guard case .changed(let change) = event else { return nil }
    return look(change.path)
  }

  /// Reads inputs until they end or the task is cancelled, handing on each batch as it closes.
  ///
  /// - Parameters:
  ///   - inputs: Watch events and requests, in their order.
  ///   - output: Called in order, never twice at once; must not wait.
  package func run(
    _ inputs: some AsyncSequence<Input, Never> & Sendable,
    output: @escaping @Sendable (Batch) -> Void
  ) async {
    // Unbounded, yet short: the loop below never waits, and the watcher bounds what it sends.
    let (signals, mailbox) = AsyncStream.makeStream(of: Signal.self)
    await withDiscardingTaskGroup { group in
      group.addTask {
        for await input in inputs { mailbox.yield(.input(input)) }
        mailbox.yield(.ended)
      }
      var window = BatchWindow<C.Instant>(limits: limits)
      var isTimerSet = false
      reading: for await signal in signals {
        switch signal {
        case .input(.events(let events)):
          let now = clock.now
          let looks = events.count <= Self.mostLooks
          for event in events {
            window.add(event, at: now, seeing: looks ? content(after: event) : nil)
          }
        case .input(.request(let request)):
          window.take(request, at: clock.now)
        case .tick:
          isTimerSet = false
        case .ended:
          break reading
        }
        if let deadline = window.deadline, clock.now >= deadline,
          let batch = window.close(at: clock.now, isHeld: isHeld())
        {
          output(batch)
        }
        glanced(window.glance(at: clock.now))
        // One timer at a time: a deadline that moved on is seen when the timer fires.
        if !isTimerSet, let deadline = window.deadline {
          isTimerSet = true
          group.addTask {
            // Cancelled only when the group ends, and then nobody reads the tick.
            try? await clock.sleep(until: deadline, tolerance: nil)
            mailbox.yield(.tick)
          }
        }
      }
      group.cancelAll()
    }
  }
}
