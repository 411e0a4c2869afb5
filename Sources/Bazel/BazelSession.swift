import Basics
package import Processes
import Synchronization
import SystemPackage

extension Clock where Duration == Swift.Duration {
  /// The time since this was called.
  package func stopwatch() -> @Sendable () -> Duration {
    let start = now
    return { start.duration(to: self.now) }
  }
}

extension Bazel {
  /// Runs a query, its answer going to `standardOutput`.
  ///
  /// - Returns: How it ended and all that it wrote to standard error, understood.
  package func run(
    _ command: Command,
    update: @escaping @Sendable (BuildUpdate) -> Void,
    standardOutput: @escaping @Sendable ([UInt8]) -> Void
  ) async throws -> (exit: CommandExit, output: BazelOutput) {
    let elapsed = clock.stopwatch()
    let session = QuerySession(
      BazelOutput(workspace: workspace, read: { SmallFile.start(of: $0, limit: 1 << 16) }),
      elapsed: elapsed,
      update: update)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while !Task.isCancelled {
          try await clock.pause(for: .milliseconds(250))
          session.change { [$0.tick(at: elapsed())].compactMap(\.self) }
          session.lookAfter(with: look)
        }
      }
      defer { group.cancelAll() }
      let exit = try await runner.run(command) { chunk in
        switch chunk {
        case .standardOutput(let bytes):
          session.heard()
          session.change { [$0.endLockWait(at: elapsed())].compactMap(\.self) }
          standardOutput(bytes)
        case .standardError(let bytes):
          session.heard()
          session.change { $0.add(bytes, at: elapsed()) }
        }
      }
      session.change { $0.finish(at: elapsed()) }
      return (exit, session.output)
    }
  }
}

private final class QuerySession: Sendable {
  private struct State {
    var output: BazelOutput
    var watch = SilenceWatch()
    var server: Int32?
  }

  private let state: Mutex<State>
  private let elapsed: @Sendable () -> Duration
  private let update: @Sendable (BuildUpdate) -> Void

  init(
    _ output: BazelOutput, elapsed: @escaping @Sendable () -> Duration,
    update: @escaping @Sendable (BuildUpdate) -> Void
  ) {
    state = Mutex(State(output: output))
    self.elapsed = elapsed
    self.update = update
  }

  var output: BazelOutput { state.withLock(\.output) }

  func change(_ body: (inout BazelOutput) -> [BuildUpdate]) {
    state.withLock { body(&$0.output).forEach(update) }
  }

  /// The command wrote something.
  func heard() { state.withLock { $0.watch.heard(at: elapsed()) } }

  /// Says so when neither the command nor its server does anything.
  func lookAfter(with look: (Int32?) -> ServerActivity?) {
    state.withLock { state in
      let now = elapsed()
      let isWaiting = state.output.lock.isWaiting
      // Who waits for the lock is told of that.
      if isWaiting { state.watch.heard(at: now) }
      var server = state.server
      let text = state.watch.tick(at: now, isAwaited: isWaiting) {
        let activity = look(server)
        server = activity?.server
        return activity
      }
      state.server = server
      if let text { update(.notice(text)) }
    }
  }
}
