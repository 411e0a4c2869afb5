import Synchronization

/// A way to end work early without ending the task that does it.
///
/// Work that runs under it is cancelled, and waited for, when `interrupt()` is called.
package final class Interruption: Sendable {
  private struct State {
    var isInterrupted = false
    var nextID = 0
    var listeners: [Int: AsyncStream<Never>.Continuation] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  package var isInterrupted: Bool { state.withLock(\.isInterrupted) }

  /// May be called from anywhere, and more than once.
  package func interrupt() {
    let listeners = state.withLock { state in
      state.isInterrupted = true
      return state.listeners.values
    }
    for listener in listeners { listener.finish() }
  }

  /// Runs work to its end or until it is interrupted.
  ///
  /// - Parameter work: Cancelled by an interruption, also by one that came before.
  /// - Returns: The work's result; `nil` when it was interrupted, and has ended.
  /// - Throws: What the work throws; `CancellationError` when this task itself is cancelled.
  package func run<Success: Sendable>(
    _ work: @escaping @Sendable () async throws -> Success
  ) async throws -> Success? {
    // One stream each time: an iteration that is cancelled ends its stream for good.
    let (id, signal) = listen()
    defer { state.withLock { $0.listeners[id] = nil } }
    return try await withThrowingTaskGroup(of: Success?.self) { group in
      group.addTask { try await work() }
      group.addTask {
        for await _ in signal {}
        return nil
      }
      let first = try await group.next() ?? nil
      group.cancelAll()
      // The work ends with a CancellationError that is ours; or it had just succeeded.
      let rest = await group.nextResult()
      try Task.checkCancellation()
      if let first { return first }
      return try? rest?.get()
    }
  }

  private func listen() -> (id: Int, signal: AsyncStream<Never>) {
    let (signal, continuation) = AsyncStream.makeStream(of: Never.self)
    return state.withLock { state in
      state.nextID += 1
      state.listeners[state.nextID] = continuation
      if state.isInterrupted { continuation.finish() }
      return (state.nextID, signal)
    }
  }
}
