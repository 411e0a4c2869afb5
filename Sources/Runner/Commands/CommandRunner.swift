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
  ///   - output: Called for each chunk; chunks of one stream come in their order.
  /// - Returns: How it ended; an exit code other than 0 is no error here.
  /// - Throws: `CommandError` when the program can't be started; `CancellationError`.
  func run(
    _ command: Command, input: CommandInput?,
    output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit
}

package typealias CommandInput = any AsyncSequence<[UInt8], any Error> & Sendable

extension CommandRunner {
  /// Runs a program whose standard input is empty.
  package func run(
    _ command: Command, output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit {
    try await run(command, input: nil, output: output)
  }
}
