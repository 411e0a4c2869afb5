import Glibc
import Runner
import UnixSignals

/// Ends a command when a signal says so, or when nobody reads its output any more.
struct Stopping: Sendable {
  private let interruption = Interruption()
  private let closed: AsyncStream<OutputClosed>
  private let continuation: AsyncStream<OutputClosed>.Continuation

  init() {
    (closed, continuation) = AsyncStream.makeStream(of: OutputClosed.self)
  }

  /// To be told when output can't be written any more.
  func outputClosed(_ error: OutputClosed) { continuation.yield(error) }

  /// Runs work to its end, or until SIGINT, SIGTERM or SIGHUP; then the work is cancelled and
  /// waited for. A second signal ends the process at once, once all that runs below has had its signal.
  ///
  /// - Throws: `ExitStatus.interrupted`; `OutputClosed`; what the work throws.
  func run<Success: Sendable>(
    _ stopping: @escaping @Sendable (String) -> Void,
    _ work: @escaping @Sendable () async throws -> Success
  ) async throws -> Success {
    try await withThrowingTaskGroup(of: Success?.self) { group in
      let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
      group.addTask {
        for await signal in signals {
          if interruption.isInterrupted {
            await RunningPrograms.interruptAll(clock: ContinuousClock())
            _exit(ExitStatus.interrupted.rawValue)
          }
          stopping("\(signal)")
          interruption.interrupt()
        }
        return nil
      }
      group.addTask {
        for await error in closed {
          interruption.interrupt()
          throw error
        }
        return nil
      }
      group.addTask {
        guard let success = try await interruption.run(work) else { throw ExitStatus.interrupted }
        return success
      }
      defer { group.cancelAll() }
      while let result = try await group.next() {
        if let result { return result }
      }
      throw ExitStatus.interrupted
    }
  }
}
