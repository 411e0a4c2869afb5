package import Events
import FoundationEssentials
import Synchronization

/// Events as lines of JSON, each with its newline. Whoever reads goes at its own pace, and is told what it missed.
package struct EventLines: DrainableChunks {
  private let hub: EventHub
  private let since: Int
  /// The last to be given; `nil`: it waits for more.
  private let end: Int?
  private let sent: Sent

  /// The number of the last event that its reader has sent.
  fileprivate final class Sent: Sendable {
    let number: Mutex<Int>
    init(_ number: Int) { self.number = Mutex(number) }
  }

  /// - Parameters:
  ///   - hub: Where they come from.
  ///   - since: Those after that number come first, as far as they are kept; `nil`: only what is to come. A number
  ///     that this run has not reached is another run's, and all are given.
  ///   - goesOn: Waits for more; else the sequence ends with the latest.
  package init(_ hub: EventHub, since: Int?, goesOn: Bool) {
    let last = hub.last
    self.hub = hub
    self.since = since.map { $0 > last ? 0 : $0 } ?? last
    end = goesOn ? nil : last
    sent = Sent(self.since)
  }

  package var isDrained: Bool { sent.number.withLock { $0 } >= hub.last }

  package func makeAsyncIterator() -> Iterator {
    Iterator(
      readings: hub.events(since: since).makeAsyncIterator(), position: since, end: end, sent: sent)
  }

  package struct Iterator: AsyncIteratorProtocol {
    fileprivate var readings: EventHub.Events.Iterator
    fileprivate var position: Int
    fileprivate let end: Int?
    fileprivate let sent: Sent

    /// - Returns: `nil` at the end, or when the task is cancelled.
    package mutating func next() async -> [UInt8]? {
      // Whoever asks for the next has sent the last.
      sent.number.withLock { $0 = position }
      while end.map({ position < $0 }) ?? true, let reading = await readings.next() {
        let event = reading.event(at: Date())
        position = event.sequence
        // An event that can't be encoded is a mistake of ours that no reader can act on.
        if let line = try? event.json() { return line + [10] }
      }
      return nil
    }
  }
}
