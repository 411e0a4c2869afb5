import Glibc
import SystemPackage

/// A remote cache and executor for Bazel; `Tests/Servers/remote-execution.py` tells more.
package struct RemoteExecution: Sendable {
  /// Where `scripts/remote-execution` puts it.
  private static let home: FilePath = "/var/cache/watchbuild-tests/remote-execution"
  private static var python: FilePath { home.appending("venv/bin/python") }

  package static var isExpected: Bool {
    Tool.isRequired || access(home.appending("buildbox-casd").string, X_OK) == 0
  }

  /// For the `.enabled` trait.
  package static let requirement = "needs a remote executor (scripts/remote-execution)"

  package let daemon: TestDaemon
  /// `grpc://127.0.0.1:PORT`, for `--remote_cache` and `--remote_executor`.
  package let address: String

  package init() async throws {
    guard access(Self.python.string, X_OK) == 0 else {
      throw TestDaemon.Failure(
        description: "\(Self.home) is not there: run scripts/remote-execution")
    }
    let port = try TestRegistry.freePort()
    address = "grpc://127.0.0.1:\(port)"
    daemon = try await TestDaemon { directory in
      let script = FilePath(#filePath).removingLastComponent().removingLastComponent()
        .appending("Servers").appending("remote-execution.py")
      return [Self.python.string, script.string, "serve", directory.string, "\(port)"]
    } isReady: { _ in
      TestRegistry.listens(at: port, of: "127.0.0.1")
    }
  }

  /// Loses all that it holds.
  package func evict() async throws {
    try await daemon.pause()
    try Tool.run("rm", ["-rf", "\(daemon.directory)/cas"])
    try await daemon.resume()
  }

  /// Calls that are to fail or to wait, as JSON; `{}`: none.
  package func order(_ faults: String) throws {
    let path = daemon.directory.appending("faults.json")
    let next = daemon.directory.appending("faults.next")
    try next.write(Array(faults.utf8))
    guard rename(next.string, path.string) == 0 else { throw Errno(rawValue: errno) }
  }
}
