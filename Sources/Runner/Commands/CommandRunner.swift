/// Runs programs. The one way to start a process.
///
/// Implemented by `SubprocessRunner`, and by `ScriptedRunner` in tests.
package protocol CommandRunner: Sendable {
  /// Runs a program to its end, handing on its output as it comes.
  ///
  /// Cancelling the task sends one SIGINT to the program's process group; its output is read to
  /// the end and the program waited for before this throws `CancellationError`.
  ///
  /// - Parameters:
  ///   - command: What to run. Its standard input is empty.
  ///   - output: Called for each chunk; chunks of one stream come in their order.
  /// - Returns: How it ended; an exit code other than 0 is no error here.
  /// - Throws: `CommandError` when the program can't be started; `CancellationError`.
  func run(
    _ command: Command,
    output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit

  /// The same, with a way to end it by force.
  func run(
    _ command: Command, ending: ForcedEnd,
    output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit
}

extension CommandRunner {
  /// For runners whose programs always end.
  package func run(
    _ command: Command, ending: ForcedEnd,
    output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit {
    try await run(command, output: output)
  }
}
