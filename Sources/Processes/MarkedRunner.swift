import Logging
package import Watcher

/// Runs Bazel's commands between two marks in the watcher's stream, so that what Bazel wrote, or may have half read,
/// can be told from what changed while nothing ran.
package struct MarkedRunner: CommandRunner {
  private let runner: any CommandRunner
  private let mark: @Sendable (WatchMark) async -> Void

  /// - Parameters:
  ///   - runner: Runs the commands.
  ///   - mark: Returns when the mark stands behind all changes made before the call.
  package init(_ runner: any CommandRunner, mark: @escaping @Sendable (WatchMark) async -> Void) {
    self.runner = runner
    self.mark = mark
  }

  package func run(
    _ command: Command, input: CommandInput?, ending: ForcedEnd,
    output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit {
    let log = Logger(label: "bazel")
    log.debug(
      "begins",
      metadata: [
        "command": "\(Redaction.arguments(command.argv).joined(separator: " "))"
      ])
    await mark(.commandBegan)
    let exit: Result<CommandExit, any Error>
    do {
      exit = .success(try await runner.run(command, input: input, ending: ending, output: output))
    } catch {
      exit = .failure(error)
    }
    await mark(.commandEnded)
    log.debug("has ended", metadata: ["how": "\(exit)"])
    return try exit.get()
  }
}
