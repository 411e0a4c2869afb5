import Basics
package import Bazel
import Glibc
import Processes
package import SystemPackage

/// A small Bazel workspace in a temporary directory, with a server of its own.
///
/// `end()` must be called; a server that is left over ends by itself after a minute.
package struct BazelWorkspace: Sendable {
  /// Absolute, symbolic links resolved.
  package let root: FilePath
  private let base: TemporaryDirectory

  /// What builds here: the Bazel that the running test is to use, unless another was given.
  package let testBazel: TestBazel

  /// Of Bazel, by the workspace's own `.bazelrc`.
  package var outputRoot: FilePath { base.path.appending("output") }

  /// The file that says that its directory is a workspace, relative to the root.
  package var marker: String { testBazel.root.rawValue }

  package init(_ files: [String: String] = [:], bazel: TestBazel = .current) throws {
    testBazel = bazel
    base = try TemporaryDirectory()
    root = try base.makeDirectory("workspace")
    try write(marker, "")
    // As a user's own rc file would have it, so that watchbuild passes no startup options. No server lives
    // long enough here to get back the time that Java spends on making its code faster.
    let startup = [
      "startup --output_user_root=\(base.path)/output", "startup --max_idle_secs=60",
      "startup --host_jvm_args=-XX:TieredStopAtLevel=1 --host_jvm_args=-XX:+UseSerialGC",
    ]
    let standIns = bazel.standIns.keys.map { name in
      "common --override_repository=\(name)=\(base.path)/\(name)"
    }
    for (name, files) in bazel.standIns {
      for (path, content) in files { try base.write(content, to: "\(name)/\(path)") }
    }
    let lines = startup + bazel.options + standIns.sorted()
    try write(".bazelrc", lines.joined(separator: "\n") + "\n")
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
    executable: String? = nil, clock: any Clock<Duration> = ContinuousClock()
  ) throws -> Bazel {
    Bazel(
      workspace: root, executable: executable ?? testBazel.program, runner: SubprocessRunner(),
      clock: clock, scratch: PrivateDirectory(try base.makeDirectory("scratch")))
  }

  /// Runs a command of Bazel's here, as a user would in a terminal.
  ///
  /// - Returns: What it wrote.
  /// - Throws: `Tool.Failure` when it fails.
  @discardableResult
  package func terminal(_ arguments: String...) throws -> String {
    let script = #"cd "$1" && shift && exec "$@""#
    return try Tool.run("sh", ["-c", script, "sh", root.string, testBazel.program] + arguments)
  }

  /// The process ID of the workspace's server, if one runs.
  ///
  /// A server that was killed leaves the file with its number, which may be another process's by now.
  package func serverID() async throws -> Int32? {
    let text = Collected()
    let script = """
      for id in $(cat '\(base.path)'/output/*/server/server.pid.txt 2>/dev/null); do
        ! grep -qaF '\(base.path)' "/proc/$id/cmdline" 2>/dev/null || echo "$id"
      done
      """
    _ = try await SubprocessRunner().run(Command("sh", ["-c", script])) { text.add($0) }
    let first = text.standardOutput.split(whereSeparator: \.isNewline).first
    guard let id = Int32(first ?? "") else { return nil }
    return kill(id, 0) == 0 ? id : nil
  }

  /// Ends the server, politely and then by its process ID. The files go with the last copy.
  package func end() async {
    // What can't be ended here must not hide the test's own failure, nor wait for ever.
    _ = try? await SubprocessRunner().run(
      Command(
        "timeout", ["-k", "5", "60", testBazel.program, "--noblock_for_lock", "shutdown"], in: root)
    ) { _ in }
    // Likewise.
    if let id = try? await serverID() { kill(id, SIGKILL) }
  }
}
