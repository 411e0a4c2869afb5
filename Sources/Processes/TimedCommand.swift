import Basics
import Synchronization

/// Runs a program that may take only so long, and keeps the end of what it writes.
package struct TimedCommand: Sendable {
  package struct Ended: Hashable, Sendable {
    package var exit: CommandExit
    /// It was ended because its time was up.
    package var isOverdue: Bool
    /// The last lines that it wrote, of both streams.
    package var lines: [String]

    package var isGood: Bool { exit == .exited(0) && !isOverdue }

    /// Its end in words for people; `nil` when it ended well.
    package func problem(timeout: Duration) -> String? {
      if isOverdue { return "not done after \(timeout)" }
      return switch exit {
      case .exited(0): nil
      case .exited(let code): "exit \(code)"
      case .signalled(let number): "ended by signal \(number)"
      }
    }
  }

  /// So long a program that was asked to end may take, before it is made to.
  private static let grace = Duration.seconds(2)

  private let runner: any CommandRunner
  private let clock: any Clock<Duration>

  package init(_ runner: any CommandRunner, clock: any Clock<Duration>) {
    self.runner = runner
    self.clock = clock
  }

  /// - Throws: `CommandError` when it can't be started; `CancellationError`, when it has ended.
  package func run(_ command: Command, within timeout: Duration) async throws -> Ended {
    let ending = ForcedEnd()
    let isOverdue = Mutex(false)
    let lines = LastLines()
    let (cancellation, cancelled) = AsyncStream.makeStream(of: Never.self)
    // No child, since it has to act when this task is cancelled: the program may not heed the interrupt. Ended below.
    let watch = Task { [clock] in
      let wasCancelled = await Self.isCancelled(cancellation, before: timeout, clock)
      try Task.checkCancellation()
      if !wasCancelled {
        isOverdue.withLock { $0 = true }
        ending.end(.terminate)
      }
      try await clock.pause(for: Self.grace)
      ending.end(wasCancelled ? .terminate : .kill)
      try await clock.pause(for: Self.grace)
      ending.end(.kill)
    }
    defer { watch.cancel() }
    let exit = try await withTaskCancellationHandler {
      try await runner.run(command, input: nil, ending: ending) { lines.add($0) }
    } onCancel: {
      cancelled.finish()
    }
    return Ended(exit: exit, isOverdue: isOverdue.withLock { $0 }, lines: lines.all)
  }

  private static func isCancelled(
    _ cancellation: AsyncStream<Never>, before timeout: Duration, _ clock: any Clock<Duration>
  ) async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        // Cancelled where the program has ended, or is to end for another reason.
        try? await clock.pause(for: timeout)
        return false
      }
      group.addTask {
        for await _ in cancellation {}
        return true
      }
      defer { group.cancelAll() }
      return await group.next() ?? false
    }
  }
}

/// The end of what a program writes: bounded, for a program may write without end.
private final class LastLines: Sendable {
  private static let limit = 200

  private struct State {
    var output = Lines(limit: 4096)
    var errors = Lines(limit: 4096)
    var lines: [String] = []
  }

  private let state = Mutex(State())

  func add(_ chunk: CommandOutput) {
    state.withLock { state in
      let new =
        switch chunk {
        case .standardOutput(let bytes): state.output.add(bytes)
        case .standardError(let bytes): state.errors.add(bytes)
        }
      state.lines += new.map(Lines.text)
      state.lines.removeFirst(max(0, state.lines.count - Self.limit))
    }
  }

  /// With what stands after the last line's end.
  var all: [String] {
    state.withLock { state in
      let rest = [state.output.finish(), state.errors.finish()].compactMap(\.self)
      return state.lines + rest.map(Lines.text)
    }
  }
}
