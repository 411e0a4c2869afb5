import Glibc

/// A Docker whose images live in containerd, which Debian 12's can't have do: a later one, beside it.
package enum NewerDocker {
  /// Where `scripts/newer-docker` puts it.
  private static let directory = "/var/cache/watchbuild-tests/docker-26"
  private static var program: String { "\(directory)/dockerd" }

  package static var isExpected: Bool {
    Tool.isRequired || (access(program, X_OK) == 0 && Tool.exists("runc") && geteuid() == 0)
  }

  /// For the `.enabled` trait.
  package static let requirement = "needs Docker 26 (scripts/newer-docker), run as root"

  /// The one that the tests of this process share.
  package static func shared() async throws -> DockerDaemon { try await starting.value }

  private static let starting = Task { try await start() }

  package static func start() async throws -> DockerDaemon {
    guard access(program, X_OK) == 0 else {
      throw DockerDaemon.Failure(description: "\(program) is not there: run scripts/newer-docker")
    }
    return try await DockerDaemon(
      arguments: ["--config-file", "\(directory)/daemon.json"], program: program)
  }
}
