import Glibc
package import Runner
package import SystemPackage

/// A small Bazel workspace in a temporary directory, with a server of its own.
///
/// `end()` must be called; a server that is left over ends by itself after a minute.
package struct BazelWorkspace: Sendable {
  /// Absolute, symbolic links resolved.
  package let root: FilePath
  private let base: FilePath

  /// Whether there is a `bazel` in `PATH` to test with.
  package static var isBazelInstalled: Bool {
    guard let path = getenv("PATH") else { return false }
    return String(cString: path).split(separator: ":").contains { access("\($0)/bazel", X_OK) == 0 }
  }

  package init(_ files: [String: String] = [:]) throws {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    guard let resolved = realpath(parent, nil) else { throw Errno(rawValue: errno) }
    defer { free(resolved) }
    var template = Array("\(String(cString: resolved))/watchbuild-bazel.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
    base = FilePath(platformString: template)
    root = base.appending("workspace")
    try write("WORKSPACE", "")
    // As a user's own rc file would have it, so that watchbuild passes no startup options.
    try write(
      ".bazelrc",
      """
      startup --output_user_root=\(base)/output
      startup --max_idle_secs=60
      """)
    for (path, content) in files { try write(path, content) }
  }

  /// Makes or replaces a file, and the directories on the way to it.
  package func write(_ path: String, _ content: String) throws {
    let file = root.pushing(FilePath(path))
    try Self.makeDirectories(file.removingLastComponent())
    let descriptor = try FileDescriptor.open(
      file, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead])
    try descriptor.closeAfter { _ = try descriptor.writeAll(content.utf8) }
  }

  package func remove(_ path: String) {
    root.pushing(FilePath(path)).withPlatformString { _ = unlink($0) }
  }

  /// Bazel in this workspace, run for real.
  package func bazel(
    executable: String = "bazel", clock: any Clock<Duration> = ContinuousClock()
  ) throws -> Bazel {
    let scratch = base.appending("scratch")
    try Self.makeDirectories(scratch)
    return Bazel(
      workspace: root, executable: executable, runner: SubprocessRunner(), clock: clock,
      scratch: scratch)
  }

  /// The process ID of the workspace's server, if one runs.
  package func serverID() async throws -> Int32? {
    let text = try await shell("cat '\(base)'/output/*/server/server.pid.txt 2>/dev/null || true")
    guard let id = Int32(text.split(whereSeparator: \.isNewline).first ?? "") else { return nil }
    return kill(id, 0) == 0 ? id : nil
  }

  /// Ends the server, politely and then by its process ID, and removes everything.
  package func end() async {
    // What can't be ended or removed here must not hide the test's own failure.
    _ = try? await SubprocessRunner().run(
      Command("bazel", ["--noblock_for_lock", "shutdown"], in: root)
    ) { _ in }
    if let id = try? await serverID() { kill(id, SIGKILL) }
    _ = try? await shell("chmod -R u+w '\(base)'; rm -rf '\(base)'")
  }

  private func shell(_ script: String) async throws -> String {
    let text = Collected()
    _ = try await SubprocessRunner().run(Command("sh", ["-c", script])) { text.add($0) }
    return text.standardOutput
  }

  private static func makeDirectories(_ path: FilePath) throws {
    guard access(path.string, F_OK) != 0 else { return }
    try makeDirectories(path.removingLastComponent())
    guard mkdir(path.string, 0o755) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
  }
}
