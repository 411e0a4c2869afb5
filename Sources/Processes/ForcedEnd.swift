import Synchronization

/// A way to end a running program by force, for whoever knows that nothing is lost by it.
///
/// Cancellation is the other way: it interrupts, once, and waits.
package final class ForcedEnd: Sendable {
  package enum Force: Sendable { case terminate, kill }

  private struct State {
    var asked: Force?
    var send: (@Sendable (Force) -> Void)?
  }

  private let state = Mutex(State())

  package init() {}

  /// May come before the program has started, or after it has ended.
  package func end(_ force: Force) {
    let send = state.withLock { state in
      state.asked = force
      return state.send
    }
    send?(force)
  }

  /// For the runner: how to reach the program.
  package func attach(_ send: @escaping @Sendable (Force) -> Void) {
    let asked = state.withLock { state in
      state.send = send
      return state.asked
    }
    if let asked { send(asked) }
  }
}
