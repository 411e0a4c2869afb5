import Synchronization

/// A way to end work early without ending the task that does it.
///
/// What runs under it is cancelled, and waited for, when `interrupt()` is called.
package final class Interruption: Sendable {
  private let signal: AsyncStream<Never>
  private let continuation: AsyncStream<Never>.Continuation
  private let hasBeen = Atomic(false)

  package init() {
    (signal, continuation) = AsyncStream.makeStream(of: Never.self)
  }

  package var isInterrupted: Bool { hasBeen.load(ordering: .acquiring) }

  /// May be called from anywhere, and more than once.
  package func interrupt() {
    hasBeen.store(true, ordering: .releasing)
    continuation.finish()
  }

  /// Runs work to its end or until it is interrupted.
  ///
  /// - Returns: The work's result; `nil` when it was interrupted, and has ended.
  /// - Throws: What the work throws; `CancellationError` when this task itself is cancelled.
  package func run<Success: Sendable>(
    _ work: @escaping @Sendable () async throws -> Success
  ) async throws -> Success? {
    try await withThrowingTaskGroup(of: Success?.self) { group in
      group.addTask { try await work() }
      group.addTask { [signal] in
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
}
