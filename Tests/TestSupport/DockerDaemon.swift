import Glibc
import Runner
import Synchronization
package import SystemPackage
import Watcher

/// A real dockerd on a socket and a directory of its own.
///
/// It ends with this process, however that ends: a shell holds dockerd, and the read end of a pipe
/// of which only this process has the other; when that closes, the shell stops dockerd, waits for it
/// (and so for its containerd) and removes the directory.
package final class DockerDaemon: Sendable {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  package let socket: FilePath
  private let directory: FilePath
  private let shell: pid_t
  /// `nil` when it has been stopped for good.
  private let control: Mutex<FileDescriptor?>

  /// As `DOCKER_HOST` takes it.
  package var host: String { "unix://\(socket)" }

  /// Whether tests that need it are to run: where it can't, they fail under CI and are skipped
  /// elsewhere.
  package static var isExpected: Bool {
    Tool.isRequired || (Tool.exists("dockerd") && geteuid() == 0)
  }

  /// For the `.enabled` trait.
  package static let requirement = "needs dockerd (apt-get install docker.io), run as root"

  /// The one daemon that the tests of this process share: each uses image names of its own.
  package static func shared() async throws -> DockerDaemon {
    try await starting.value
  }

  // No child of the test that comes first: it outlives that test, and ends with the process.
  private static let starting = Task { try await DockerDaemon() }

  /// Starts a daemon and waits until it answers.
  package init() async throws {
    guard Tool.exists("dockerd") else {
      throw Failure(description: "dockerd is not installed: apt-get install docker.io")
    }
    guard geteuid() == 0 else { throw Failure(description: "dockerd must be run as root") }
    let directory = try TemporaryDirectory.make()
    self.directory = directory
    socket = directory.appending("docker.sock")
    let (input, output) = try FileDescriptor.pipe(options: .closeOnExec)
    control = Mutex(output)
    shell = try input.closeAfter {
      try Tool.spawn(
        "/bin/sh", ["-c", Self.script, "sh", directory.string], input: input.rawValue)
    }
    try await waitUntilItAnswers()
  }

  deinit {
    // Closing is the signal to stop; nobody is left to be told if it fails.
    try? control.withLock { $0 }?.close()
  }

  /// Stops dockerd; its images stay for `resume()`.
  package func pause() async throws {
    try say()
    try await wait("dockerd to stop") { access(self.directory.appending("pid").string, F_OK) != 0 }
  }

  /// Starts dockerd again on the same images.
  package func resume() async throws {
    try say()
    try await waitUntilItAnswers()
  }

  /// Ends it and removes its directory.
  package func stop() async throws {
    try control.withLock { descriptor in
      defer { descriptor = nil }
      try descriptor?.close()
    }
    try await wait("dockerd to end") { waitpid(self.shell, nil, WNOHANG) != 0 }
  }

  /// The end of dockerd's own log.
  package var log: String {
    // Only there to explain another failure.
    let bytes = (try? directory.appending("log").read()) ?? []
    return String(decoding: bytes.suffix(2000), as: UTF8.self)
  }

  private func say() throws {
    try control.withLock { descriptor in _ = try descriptor?.writeAll([0x0A]) }
  }

  private func waitUntilItAnswers() async throws {
    let client = EngineClient(.unix(socket))
    var answers = false
    for _ in 0..<1200 where !answers {
      do {
        try await client.ping()
        answers = true
      } catch {
        // A poll: dockerd says nowhere else when it is ready.
        try await ContinuousClock().pause(for: .milliseconds(50))
      }
    }
    await client.shutdown()
    guard answers else { throw Failure(description: "dockerd did not start: \(log)") }
  }

  private func wait(_ what: String, until isDone: () -> Bool) async throws {
    for _ in 0..<1200 {
      if isDone() { return }
      try await ContinuousClock().pause(for: .milliseconds(50))
    }
    throw Failure(description: "waited 60 s for \(what): \(log)")
  }

  /// Holds none of our output open, on whose end `swift test` waits.
  ///
  /// A line on standard input stops dockerd, the next starts it again; the end of input ends both.
  private static let script = #"""
    D=$1
    exec >/dev/null 2>&1
    trap : INT TERM HUP
    while :; do
      dockerd --data-root "$D/root" --exec-root "$D/exec" -H "unix://$D/docker.sock" \
        --pidfile "$D/pid" --bridge none --iptables=false --ip6tables=false \
        </dev/null >>"$D/log" 2>&1 &
      daemon=$!
      read -r _; ended=$?
      kill "$daemon" 2>/dev/null; wait "$daemon"
      [ $ended -eq 0 ] && read -r _ || break
    done
    rm -rf "$D"
    """#
}
