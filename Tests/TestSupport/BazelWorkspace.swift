import Glibc
package import Runner
package import SystemPackage

/// A small Bazel workspace in a temporary directory, with a server of its own.
///
/// `end()` must be called; a server that is left over ends by itself after a minute.
package struct BazelWorkspace: Sendable {
  /// Absolute, symbolic links resolved.
  package let root: FilePath
  private let base: TemporaryDirectory

  /// Whether there is a `bazel` in `PATH` to test with.
  package static var isBazelInstalled: Bool {
    guard let path = getenv("PATH") else { return false }
    return String(cString: path).split(separator: ":").contains { access("\($0)/bazel", X_OK) == 0 }
  }

  /// Of Bazel, by the workspace's own `.bazelrc`.
  package var outputRoot: FilePath { base.path.appending("output") }

  package init(_ files: [String: String] = [:]) throws {
    base = try TemporaryDirectory()
    root = try base.makeDirectory("workspace")
    try write("WORKSPACE", "")
    // As a user's own rc file would have it, so that watchbuild passes no startup options.
    try write(
      ".bazelrc",
      """
      startup --output_user_root=\(base.path)/output
      startup --max_idle_secs=60
      """)
    for (path, content) in files { try write(path, content) }
  }

  /// Makes or replaces a file, and the directories on the way to it.
  package func write(_ path: String, _ content: String) throws {
    try base.write(content, to: "workspace/\(path)")
  }

  package func remove(_ path: String) {
    root.pushing(FilePath(path)).withPlatformString { _ = unlink($0) }
  }

  /// Bazel in this workspace, run for real.
  package func bazel(
    executable: String = "bazel", clock: any Clock<Duration> = ContinuousClock()
  ) throws -> Bazel {
    Bazel(
      workspace: root, executable: executable, runner: SubprocessRunner(), clock: clock,
      scratch: try base.makeDirectory("scratch"))
  }

  /// The process ID of the workspace's server, if one runs.
  package func serverID() async throws -> Int32? {
    let text = Collected()
    let script = "cat '\(base.path)'/output/*/server/server.pid.txt 2>/dev/null || true"
    _ = try await SubprocessRunner().run(Command("sh", ["-c", script])) { text.add($0) }
    let first = text.standardOutput.split(whereSeparator: \.isNewline).first
    guard let id = Int32(first ?? "") else { return nil }
    return kill(id, 0) == 0 ? id : nil
  }

  /// Ends the server, politely and then by its process ID. The files go with the last copy.
  package func end() async {
    // What can't be ended here must not hide the test's own failure, nor wait for ever.
    _ = try? await SubprocessRunner().run(
      Command("timeout", ["-k", "5", "60", "bazel", "--noblock_for_lock", "shutdown"], in: root)
    ) { _ in }
    // Likewise.
    if let id = try? await serverID() { kill(id, SIGKILL) }
  }
}
