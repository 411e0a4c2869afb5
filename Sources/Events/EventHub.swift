package import FoundationEssentials
import Synchronization

/// The one record of what happens, and where everybody reads it: terminal, JSON, files, profile, sockets.
///
/// Any task may record; events are numbered and handed on in one order. The latest ones are kept for
/// readers, which join and leave at any time. Each goes at its own pace: nobody who records waits for one, and
/// one that falls behind by more than is kept is told which events it missed.
package final class EventHub: Sendable {
  /// What a reader gets.
  package enum Reading: Sendable {
    case event(Event)
    /// The reader was so slow that these events are no longer kept.
    case missed(ClosedRange<Int>)
  }

  /// So many events are kept.
  package static let limit = 10_000

  private struct State {
    var ring: EventRing
    var told = ToldDiagnostics()
    /// Readers that have read everything.
    var waiting: [Int: @Sendable () -> Void] = [:]
    var waits = 0
  }

  private let state: Mutex<State>
  private let now: @Sendable () -> Date

  /// - Parameters:
  ///   - limit: So many events are kept for readers.
  ///   - now: The time of day.
  package init(limit: Int = EventHub.limit, now: @escaping @Sendable () -> Date) {
    state = Mutex(State(ring: EventRing(limit: limit)))
    self.now = now
  }

  /// Records what happened, without waiting for any reader.
  ///
  /// - Returns: The event's number; `nil` for a diagnostic that was told already in this cycle and is left out.
  @discardableResult
  package func record(_ kind: Event.Kind, cycle: Int? = nil) -> Int? {
    let (number, waiting) = state.withLock { state -> (Int?, [@Sendable () -> Void]) in
      guard state.told.isNews(kind) else { return (nil, []) }
      let number = state.ring.last + 1
      state.ring.append(Event(sequence: number, time: now(), cycle: cycle, kind: kind))
      defer { state.waiting = [:] }
      return (number, Array(state.waiting.values))
    }
    for wake in waiting { wake() }
    return number
  }

  /// The number of the newest event; 0 before the first.
  package var last: Int { state.withLock(\.ring.last) }

  /// The events that are kept, in their order.
  package var recorded: [Event] { state.withLock(\.ring.all) }

  /// Events as they come, for a task to read at its own pace; they end when the task is cancelled.
  ///
  /// - Parameter since: Begins with the event behind this number, where it is still kept; `nil`: with the next
  ///   one. A number that no event has had yet, as one of another run, counts as the newest.
  package func events(since: Int? = nil) -> Events {
    Events(hub: self, start: since.map { max($0, 0) } ?? last)
  }

  package struct Events: AsyncSequence, Sendable {
    fileprivate let hub: EventHub
    fileprivate let start: Int

    package func makeAsyncIterator() -> Iterator { Iterator(hub: hub, cursor: start) }

    package struct Iterator: AsyncIteratorProtocol {
      fileprivate let hub: EventHub
      fileprivate var cursor: Int

      package mutating func next() async -> Reading? {
        while !Task.isCancelled {
          if let reading = hub.next(after: &cursor) { return reading }
          await hub.waitForNews(after: cursor)
        }
        return nil
      }
    }
  }

  private func waitForNews(after cursor: Int) async {
    let (news, bell) = AsyncStream.makeStream(of: Never.self)
    let wait = wake(after: cursor) { bell.finish() }
    // It also ends with the task.
    for await _ in news {}
    stopWaiting(wait)
  }

  // MARK: For readers

  /// See `EventRing.next`.
  func next(after cursor: inout Int, upTo end: Int = .max) -> Reading? {
    state.withLock { $0.ring.next(after: &cursor, upTo: end) }
  }

  /// Calls a reader once there is an event behind a number; at once where there is one.
  ///
  /// - Parameter bell: Called once, by whoever records; must not block.
  /// - Returns: For `stopWaiting`.
  func wake(after cursor: Int, _ bell: @escaping @Sendable () -> Void) -> Int {
    let (wait, isDue) = state.withLock { state in
      state.waits += 1
      let isDue = state.ring.last > cursor
      if !isDue { state.waiting[state.waits] = bell }
      return (state.waits, isDue)
    }
    if isDue { bell() }
    return wait
  }

  func stopWaiting(_ wait: Int) { state.withLock { $0.waiting[wait] = nil } }

  /// Readers that wait for an event, for tests.
  var waitingCount: Int { state.withLock(\.waiting.count) }
}
