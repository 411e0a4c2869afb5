import Glibc
import SystemPackage
import TestSupport

extension LoadHarness.Crash {
  /// Kills a daemon, with the children that have its directory among their arguments.
  ///
  /// - Parameter programs: The names of its executables.
  static func of(_ programs: Set<String>, in daemon: TestDaemon) -> Self {
    Self(
      arm: { try arm(programs, in: daemon.directory) },
      start: {
        // The shell that holds it sees that it has ended only when it is asked to end it.
        try await daemon.pause()
        try await daemon.resume()
      })
  }

  static func of(_ docker: DockerDaemon) -> Self {
    Self(
      arm: { try arm(["dockerd", "containerd"], in: docker.socket.removingLastComponent()) },
      start: {
        try await docker.pause()
        try await docker.resume()
      })
  }

  private struct NotRunning: Error { var programs: Set<String> }

  private static func arm(
    _ programs: Set<String>, in directory: FilePath
  ) throws -> @Sendable () throws -> Void {
    let ids = try processes(programs, in: directory)
    return {
      for id in ids { kill(id, SIGKILL) }
      // What a daemon that ends in peace removes: whether it runs is told by these.
      for name in ["pid", "exec/containerd/containerd.pid", "podman.sock"] {
        unlink(directory.pushing(FilePath(name)).string)
      }
    }
  }

  /// Those that have a daemon's directory among their arguments.
  static func processes(_ programs: Set<String>, in directory: FilePath) throws -> [pid_t] {
    let script = #"""
      grep -la "$1/" /proc/[0-9]*/cmdline 2>/dev/null | while IFS=/ read -r _ _ id _; do
        echo "$id $(readlink "/proc/$id/exe")"
      done
      """#
    let processes = try Tool.run("bash", ["-c", script, "bash", directory.string])
    let ids = processes.split(separator: "\n").compactMap { line -> pid_t? in
      let fields = line.split(separator: " ")
      guard fields.count == 2, let name = fields[1].split(separator: "/").last else { return nil }
      return programs.contains(String(name)) ? pid_t(fields[0]) : nil
    }
    guard !ids.isEmpty else { throw NotRunning(programs: programs) }
    return ids
  }
}
