package import FoundationEssentials
import Synchronization

/// The one record of what happens. Every face of watchbuild only reads it.
///
/// Any task may record; events are numbered and handed on in one order. A reader that blocks
/// makes the recorder wait, so nothing is buffered and nothing is dropped.
package final class EventLog: Sendable {
  private let last = Mutex(0)
  private let now: @Sendable () -> Date
  private let sink: @Sendable (Event) -> Void

  /// - Parameters:
  ///   - now: The time of day.
  ///   - sink: Called with each event, in order, one call at a time; must not record events.
  package init(now: @escaping @Sendable () -> Date, sink: @escaping @Sendable (Event) -> Void) {
    self.now = now
    self.sink = sink
  }

  package func record(_ kind: Event.Kind, cycle: Int? = nil) {
    last.withLock { last in
      last += 1
      sink(Event(sequence: last, time: now(), cycle: cycle, kind: kind))
    }
  }
}
