package import Processes
import Synchronization

/// Runs nothing: answers each command as the test says, and remembers what was asked.
package final class ScriptedRunner: CommandRunner {
  package typealias Script =
    @Sendable (_ command: Command, _ output: @Sendable (CommandOutput) -> Void) async throws
    -> CommandExit

  private let script: Script
  private let asked = Mutex<[Command]>([])

  package init(_ script: @escaping Script) { self.script = script }

  /// Answers every command with the same output.
  package convenience init(
    standardOutput: [UInt8] = [], standardError: String = "", exit: CommandExit = .exited(0)
  ) {
    self.init { _, output in
      if !standardError.isEmpty { output(.standardError(Array(standardError.utf8))) }
      if !standardOutput.isEmpty { output(.standardOutput(standardOutput)) }
      return exit
    }
  }

  /// The commands so far, in their order.
  package var commands: [Command] { asked.withLock { $0 } }

  /// Ended by force, a script is cancelled and counts as ended by SIGTERM.
  package func run(
    _ command: Command, input: CommandInput?, ending: ForcedEnd,
    output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit {
    asked.withLock { $0.append(command) }
    let (forces, force) = AsyncStream.makeStream(of: ForcedEnd.Force.self)
    ending.attach { force.yield($0) }
    return try await withThrowingTaskGroup(of: CommandExit?.self) { group in
      group.addTask { try await self.script(command, output) }
      group.addTask {
        for await _ in forces { return .signalled(15) }
        return nil
      }
      defer { group.cancelAll() }
      while let exit = try await group.next() {
        if let exit { return exit }
      }
      throw CancellationError()
    }
  }
}
