import Basics
import Synchronization

/// The programs that run now, for an end of our own that does not wait for them.
package enum RunningPrograms {
  private struct State {
    /// Those that may or may not be there already.
    var starting = 0
    var interrupts: [ObjectIdentifier: @Sendable () -> Void] = [:]
  }

  private static let state = Mutex(State())

  static func willStart() { state.withLock { $0.starting += 1 } }

  /// - Parameter interrupt: Sends the one SIGINT; does nothing the second time.
  static func didStart(_ program: AnyObject, interrupt: @escaping @Sendable () -> Void) {
    let id = ObjectIdentifier(program)
    state.withLock {
      $0.starting -= 1
      $0.interrupts[id] = interrupt
    }
  }

  static func didNotStart() { state.withLock { $0.starting -= 1 } }

  static func didEnd(_ program: AnyObject) {
    let id = ObjectIdentifier(program)
    state.withLock { $0.interrupts[id] = nil }
  }

  /// Sees to it that every program has had its interrupt, so that we may go without waiting.
  ///
  /// Bazel's client then ends its command in the server by itself. Waits for what is just being
  /// started, half a second at most.
  package static func interruptAll(clock: some Clock<Duration>) async {
    for _ in 0..<50 where state.withLock({ $0.starting > 0 }) {
      // Cancelled or not, the rest is to be done.
      try? await clock.pause(for: .milliseconds(10))
    }
    for interrupt in state.withLock({ Array($0.interrupts.values) }) { interrupt() }
  }
}
