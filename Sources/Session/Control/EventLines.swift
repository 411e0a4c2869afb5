package import Events
import FoundationEssentials

/// Events as lines of JSON, without the newline. Whoever reads goes at its own pace, and is told what it missed.
package struct EventLines: AsyncSequence, Sendable {
  private let hub: EventHub
  private let since: Int
  /// The last to be given; `nil`: it waits for more.
  private let end: Int?

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
  }

  package func makeAsyncIterator() -> Iterator {
    Iterator(readings: hub.events(since: since).makeAsyncIterator(), position: since, end: end)
  }

  package struct Iterator: AsyncIteratorProtocol {
    fileprivate var readings: EventHub.Events.Iterator
    fileprivate var position: Int
    fileprivate let end: Int?

    /// - Returns: `nil` at the end, or when the task is cancelled.
    package mutating func next() async -> [UInt8]? {
      while end.map({ position < $0 }) ?? true, let reading = await readings.next() {
        let event = reading.event(at: Date())
        position = event.sequence
        // An event that can't be encoded is a mistake of ours that no reader can act on.
        if let line = try? event.json() { return line }
      }
      return nil
    }
  }
}
