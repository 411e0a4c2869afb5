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
  ///   - command: What to run.
  ///   - input: Its standard input, in pieces; `nil`: empty. What the program does not read is not an
  ///     error: how it ended tells. An error of the sequence ends the program and is thrown.
  ///   - ending: A way to end it by force.
  ///   - output: Called for each chunk; chunks of one stream come in their order.
  /// - Returns: How it ended; an exit code other than 0 is no error here.
  /// - Throws: `CommandError` when the program can't be started; `CancellationError`.
  func run(
    _ command: Command, input: CommandInput?, ending: ForcedEnd,
    output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit
}

/// Chunks of what a program is to read.
package typealias CommandInput = any AsyncSequence<[UInt8], any Error> & Sendable

extension CommandRunner {
  /// Runs a program that ends by itself or when the task is cancelled.
  package func run(
    _ command: Command, input: CommandInput? = nil,
    output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit {
    try await run(command, input: input, ending: ForcedEnd(), output: output)
  }
}
