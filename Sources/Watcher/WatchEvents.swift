import Synchronization

/// The events of a watcher, in batches. One reader at a time.
///
/// Each element is all that has happened since the last. While the reader is slow, changes coalesce
/// by path; from `limit` on the watcher leaves further events in the kernel's queue, whose overflow
/// is answered by a rescan. So memory is bounded by the number of files, never by their changes.
package struct WatchEvents: AsyncSequence, Sendable {
  package typealias Element = [WatchEvent]
  package typealias Failure = Never

  let queue: WatchEventQueue

  /// Takes the events that are there now, without waiting: after `synchronize()`, all changes made before it.
  package func takeAvailable() -> [WatchEvent] { queue.takeAvailable() }

  package func makeAsyncIterator() -> Iterator { Iterator(queue: queue) }

  package struct Iterator: AsyncIteratorProtocol {
    let queue: WatchEventQueue

    /// - Returns: `nil` when the watcher has stopped, or the reading task is cancelled.
    package mutating func next(isolation actor: isolated (any Actor)?) async -> [WatchEvent]? {
      await queue.next(isolation: actor)
    }

    package mutating func next() async -> [WatchEvent]? { await queue.next(isolation: nil) }
  }
}

/// The place where the watching thread leaves events for one asynchronous reader.
final class WatchEventQueue: Sendable {
  private struct State {
    var pending = PendingEvents()
    var reader: CheckedContinuation<[WatchEvent]?, Never>?
    var isFinished = false
  }

  static let limit = 262_144

  private let state = Mutex(State())
  private let limit: Int
  /// Called when the reader has taken events from a full queue.
  private let onRoom: @Sendable () -> Void

  init(limit: Int = limit, onRoom: @escaping @Sendable () -> Void) {
    self.limit = limit
    self.onRoom = onRoom
  }

  var isFull: Bool { state.withLock { $0.pending.count >= limit } }

  /// Never refuses: who looks at `isFull` before reading more is bounded.
  func put(_ events: [WatchEvent]) {
    guard !events.isEmpty else { return }
    let (reader, batch) = state.withLock {
      state -> (CheckedContinuation<[WatchEvent]?, Never>?, [WatchEvent]) in
      for event in events { state.pending.add(event) }
      guard !state.pending.isEmpty, let reader = state.reader else { return (nil, []) }
      state.reader = nil
      return (reader, state.pending.take())
    }
    reader?.resume(returning: batch)
  }

  func takeAvailable() -> [WatchEvent] {
    let (events, wasFull) = state.withLock { state in
      let wasFull = state.pending.count >= limit
      return (state.pending.take(), wasFull)
    }
    if wasFull { onRoom() }
    return events
  }

  func finish() {
    let reader = state.withLock { state in
      state.isFinished = true
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume(returning: nil)
  }

  func next(isolation: isolated (any Actor)?) async -> [WatchEvent]? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (answer, wasFull) = state.withLock { state -> ([WatchEvent]??, Bool) in
          if !state.pending.isEmpty {
            let wasFull = state.pending.count >= limit
            return (state.pending.take(), wasFull)
          }
          if state.isFinished || Task.isCancelled { return (.some(nil), false) }
          precondition(state.reader == nil, "a watcher's events have one reader at a time")
          state.reader = continuation
          return (nil, false)
        }
        if wasFull { onRoom() }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      let reader = state.withLock { state in
        defer { state.reader = nil }
        return state.reader
      }
      reader?.resume(returning: nil)
    }
  }
}
