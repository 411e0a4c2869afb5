package import Bazel
package import Graph
import Synchronization

/// The updates of a build, with the times at which they came.
package final class BuildUpdates: Sendable {
  private struct State {
    var all: [(update: BuildUpdate, time: ContinuousClock.Instant)] = []
    var waiters: [Waiter] = []
  }

  private struct Waiter {
    var isDone: @Sendable (BuildUpdates) -> Bool
    var continuation: CheckedContinuation<Void, Never>
  }

  private let state = Mutex(State())
  private let clock = ContinuousClock()

  package init() {}

  package func add(_ update: BuildUpdate) {
    let now = clock.now
    state.withLock { $0.all.append((update, now)) }
    wake()
  }

  /// Waits until the updates so far fulfil a condition.
  package func reach(_ isDone: @escaping @Sendable (BuildUpdates) -> Bool) async {
    await withCheckedContinuation { continuation in
      state.withLock { $0.waiters.append(Waiter(isDone: isDone, continuation: continuation)) }
      wake()
    }
  }

  /// Asks the waiters again, as long as updates come meanwhile: these have found nobody to wake.
  private func wake() {
    var waiters: [Waiter] = []
    var seen = -1
    while true {
      let isSettled = state.withLock { state in
        if state.all.count == seen {
          state.waiters += waiters
          return true
        }
        seen = state.all.count
        waiters += state.waiters
        state.waiters = []
        return false
      }
      if isSettled { return }
      waiters.removeAll { waiter in
        guard waiter.isDone(self) else { return false }
        waiter.continuation.resume()
        return true
      }
    }
  }

  package func clear() { state.withLock { $0.all = [] } }

  package var all: [BuildUpdate] { state.withLock { $0.all.map(\.update) } }

  package var outcomes: [(Label, TargetOutcome)] {
    all.compactMap {
      if case .target(let label, let outcome) = $0 { (label, outcome) } else { nil }
    }
  }

  package func outcome(_ label: String) -> TargetOutcome? {
    outcomes.first { $0.0.description == label }?.1
  }

  package var diagnostics: [Diagnostic] {
    all.compactMap { if case .diagnostic(let diagnostic) = $0 { diagnostic } else { nil } }
  }

  package var locks: [LockHolder?] {
    all.compactMap { if case .lock(let holder, _) = $0 { .some(holder) } else { nil } }
  }

  package var notices: [String] {
    all.compactMap { if case .notice(let text) = $0 { text } else { nil } }
  }

  package var progress: [String] {
    all.compactMap { if case .progress(let line) = $0 { line } else { nil } }
  }

  package var discarded: [String] {
    all.compactMap { if case .cacheDiscarded(let option, _, _) = $0 { option } else { nil } }
  }
}
