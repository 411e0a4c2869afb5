package import FoundationEssentials
import Synchronization

/// The one record of what happens. Every face of watchbuild only reads it.
///
/// Any task may record; events are numbered and handed on in one order. Whoever may be slow to
/// take them is behind an `EventReader`, so that nobody who records ever waits.
package final class EventLog: Sendable {
  private struct State {
    var last = 0
    var told = ToldDiagnostics()
  }

  private let state = Mutex(State())
  private let now: @Sendable () -> Date
  private let sink: @Sendable (Event) -> Void

  /// - Parameters:
  ///   - now: The time of day.
  ///   - sink: Called with each event, in order, one call at a time; must not block or record events.
  package init(now: @escaping @Sendable () -> Date, sink: @escaping @Sendable (Event) -> Void) {
    self.now = now
    self.sink = sink
  }

  /// Records what happened; a diagnostic that was told already in this cycle is left out.
  package func record(_ kind: Event.Kind, cycle: Int? = nil) {
    state.withLock { state in
      guard state.told.isNews(kind) else { return }
      state.last += 1
      sink(Event(sequence: state.last, time: now(), cycle: cycle, kind: kind))
    }
  }
}

/// Diagnostics since the last cycle's end: queries and the build each find the same mistake.
private struct ToldDiagnostics {
  private struct Key: Hashable {
    var file: String
    var line: Int
    var column: Int?
    var message: String
  }

  /// With the images that they were told of.
  private var told: [Key: Set<String>] = [:]

  mutating func isNews(_ kind: Event.Kind) -> Bool {
    switch kind {
    case .cycle:
      told = [:]
      return true
    case .diagnostic(let diagnostic):
      let key = Key(
        file: diagnostic.file, line: diagnostic.line, column: diagnostic.column,
        message: diagnostic.message)
      guard let images = told[key] else {
        told[key] = Set([diagnostic.image].compactMap(\.self))
        return true
      }
      guard let image = diagnostic.image else { return false }
      return told[key, default: images].insert(image).inserted
    default: return true
    }
  }
}
