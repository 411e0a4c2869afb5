import Batching
import Synchronization
import SystemPackage
import Watcher

extension Clock where Duration == Swift.Duration {
  /// How long it has been since this was called.
  func stopwatch() -> @Sendable () -> Duration {
    let start = now
    return { start.duration(to: self.now) }
  }
}

extension Bazel {
  /// Runs a query, its answer going to `standardOutput`.
  ///
  /// - Returns: How it ended and all that it wrote to standard error, understood.
  func run(
    _ command: Command,
    update: @escaping @Sendable (BuildUpdate) -> Void,
    standardOutput: @escaping @Sendable ([UInt8]) -> Void
  ) async throws -> (exit: CommandExit, output: BazelOutput) {
    let elapsed = clock.stopwatch()
    let session = QuerySession(
      BazelOutput(workspace: workspace, read: { SmallFile.start(of: $0, limit: 1 << 16) }),
      update: update)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while !Task.isCancelled {
          try await clock.pause(for: .milliseconds(250))
          session.change { [$0.tick(at: elapsed())].compactMap(\.self) }
        }
      }
      defer { group.cancelAll() }
      let exit = try await runner.run(command) { chunk in
        switch chunk {
        case .standardOutput(let bytes):
          session.change { [$0.endLockWait(at: elapsed())].compactMap(\.self) }
          standardOutput(bytes)
        case .standardError(let bytes):
          session.change { $0.add(bytes, at: elapsed()) }
        }
      }
      session.change { $0.finish(at: elapsed()) }
      return (exit, session.output)
    }
  }
}

private final class QuerySession: Sendable {
  private let state: Mutex<BazelOutput>
  private let update: @Sendable (BuildUpdate) -> Void

  init(_ output: BazelOutput, update: @escaping @Sendable (BuildUpdate) -> Void) {
    state = Mutex(output)
    self.update = update
  }

  var output: BazelOutput { state.withLock { $0 } }

  func change(_ body: (inout BazelOutput) -> [BuildUpdate]) {
    state.withLock { body(&$0).forEach(update) }
  }
}
