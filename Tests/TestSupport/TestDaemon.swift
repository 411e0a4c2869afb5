import Basics
import Glibc
import Synchronization
package import SystemPackage

/// A daemon in a directory of its own, which ends with this process, however that ends.
///
/// A shell holds it, and the read end of a pipe of which only this process has the other; when that
/// closes, the shell stops the daemon, waits for it and removes the directory.
///
/// The shell is no child of ours: a child that has ended and is never waited for would keep Swift
/// Testing from seeing that its exit tests have ended, since it asks for any child that has.
package final class TestDaemon: Sendable {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  package let directory: FilePath
  private let name: String
  /// `nil` when it has been stopped for good.
  private let control: Mutex<FileDescriptor?>
  private let isReady: @Sendable (FilePath) async -> Bool

  /// Starts it and waits until it is ready.
  ///
  /// - Parameters:
  ///   - command: The argument vector, made for the directory.
  ///   - isReady: Asked until it says so.
  package init(
    _ command: (FilePath) throws -> [String],
    isReady: @escaping @Sendable (FilePath) async -> Bool
  ) async throws {
    let directory = try TemporaryDirectory.make()
    self.directory = directory
    self.isReady = isReady
    let argv = try command(directory)
    name = argv[0]
    let (input, output) = try FileDescriptor.pipe(options: .closeOnExec)
    control = Mutex(output)
    let starter = try input.closeAfter {
      try Tool.spawn(
        "/bin/sh",
        ["-c", Self.starter, "sh", "/bin/sh", "-c", Self.script, "sh", directory.string] + argv,
        input: input.rawValue)
    }
    while waitpid(starter, nil, 0) < 0, errno == EINTR {}
    try await wait("\(name) to answer") { await isReady(directory) }
  }

  deinit {
    // Closing is the signal to stop; nobody is left to be told if it fails.
    try? control.withLock { $0 }?.close()
  }

  /// Stops the daemon; what it holds stays for `resume()`.
  package func pause() async throws {
    try say()
    try await wait("\(name) to stop") {
      access(self.directory.appending("runs").string, F_OK) != 0
    }
  }

  package func resume() async throws {
    try say()
    try await wait("\(name) to answer") { await self.isReady(self.directory) }
  }

  /// Ends it and removes its directory.
  package func stop() async throws {
    try control.withLock { descriptor in
      defer { descriptor = nil }
      try descriptor?.close()
    }
    try await wait("\(name) to end") { access(self.directory.string, F_OK) != 0 }
  }

  private func say() throws {
    try control.withLock { descriptor in _ = try descriptor?.writeAll([0x0A]) }
  }

  /// The end of what the daemon wrote.
  package var log: String {
    // Only there to explain another failure.
    let bytes = (try? directory.appending("log").read()) ?? []
    return String(decoding: bytes.suffix(2000), as: UTF8.self)
  }

  private func wait(_ what: String, until isDone: () async -> Bool) async throws {
    for _ in 0..<1200 {
      if await isDone() { return }
      try await ContinuousClock().pause(for: .milliseconds(50))
    }
    throw Failure(description: "waited 60 s for \(what): \(log)")
  }

  /// A shell gives `/dev/null` to what it starts in the background, and what is read from there ends.
  private static let starter = #"exec 3<&0; "$@" <&3 3<&- &"#

  /// Holds none of our output open, on whose end `swift test` waits.
  ///
  /// A line on standard input stops the daemon, the next starts it again; the end of input ends both.
  private static let script = #"""
    D=$1; shift
    exec >/dev/null 2>&1
    trap : INT TERM HUP
    while :; do
      "$@" </dev/null >>"$D/log" 2>&1 &
      daemon=$!
      : >"$D/runs"
      read -r _; ended=$?
      kill "$daemon" 2>/dev/null; wait "$daemon"
      rm -f "$D/runs"
      [ $ended -eq 0 ] && read -r _ || break
    done
    grep " $D/" /proc/self/mounts | while read -r _ point _; do umount -l "$point"; done
    rm -rf "$D"
    """#
}

/// Real daemons of container runtimes, each started once for the tests of a process.
package enum Runtimes {
  /// For the `.enabled` trait: a missing one skips on a laptop and fails under CI.
  package static func isExpected(_ program: String) -> Bool {
    Tool.isRequired || (Tool.exists(program) && geteuid() == 0)
  }

  /// Podman's API service over a store of its own; the socket is `podman.sock`.
  package static func podman() async throws -> TestDaemon { try await startingPodman.value }

  private static let startingPodman = Task { try await makePodman() }

  package static func makePodman() async throws -> TestDaemon {
    try await TestDaemon { directory in
      [
        // What it is sent waits in TMPDIR, and stays there when podman is killed.
        "env", "CONTAINERS_STORAGE_CONF=\(try podmanStorage(in: directory))", "TMPDIR=\(directory)",
        "podman", "--tmpdir",
        "\(directory)/tmp", "--cgroup-manager", "cgroupfs", "--events-backend", "file", "system",
        "service", "--time", "0", "unix://\(directory)/podman.sock",
      ]
    } isReady: {
      access($0.appending("podman.sock").string, F_OK) == 0
    }
  }

  /// The configuration of a store of podman's in this directory.
  package static func podmanStorage(in directory: FilePath) throws -> FilePath {
    let path = directory.appending("storage.conf")
    try path.write(
      Array(
        """
        [storage]
        driver = "vfs"
        graphroot = "\(directory)/root"
        runroot = "\(directory)/run"

        """.utf8))
    return path
  }

  /// A containerd without Kubernetes; the socket is `containerd.sock`.
  package static func containerd() async throws -> TestDaemon { try await startingContainerd.value }

  private static let startingContainerd = Task { try await makeContainerd() }

  package static func makeContainerd() async throws -> TestDaemon {
    try await TestDaemon { directory in
      let path = directory.appending("config.toml")
      try path.write(
        Array(
          """
          version = 2
          root = "\(directory)/root"
          state = "\(directory)/state"
          disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
          [grpc]
            address = "\(directory)/containerd.sock"

          """.utf8))
      return ["containerd", "--config", path.string]
    } isReady: {
      let socket = $0.appending("containerd.sock").string
      guard access(socket, F_OK) == 0 else { return false }
      // A poll: until it serves, the client fails.
      return (try? Tool.run("ctr", ["--address", socket, "version"])) != nil
    }
  }
}
