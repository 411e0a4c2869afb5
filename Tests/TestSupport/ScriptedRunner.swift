package import Runner
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

  package func run(
    _ command: Command, input: CommandInput?, output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit {
    asked.withLock { $0.append(command) }
    return try await script(command, output)
  }
}
