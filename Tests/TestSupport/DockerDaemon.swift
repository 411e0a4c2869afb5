import Glibc
import Runtimes
package import SystemPackage

/// A real dockerd on a socket and a directory of its own, which ends with this process.
package final class DockerDaemon: Sendable {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  private let daemon: TestDaemon

  package var socket: FilePath { Self.socket(in: daemon.directory) }

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
  ///
  /// - Parameters:
  ///   - arguments: Further ones, such as another address to listen at.
  ///   - program: A name to be looked up, or a path; what lies beside that, such as a containerd of
  ///     the same release, then comes before what is installed.
  package init(arguments: [String] = [], program: String = "dockerd") async throws {
    guard program.contains("/") || Tool.exists(program) else {
      throw Failure(description: "\(program) is not installed: apt-get install docker.io")
    }
    guard geteuid() == 0 else { throw Failure(description: "dockerd must be run as root") }
    daemon = try await TestDaemon { directory in
      let options = [
        "--data-root", "\(directory)/root", "--exec-root", "\(directory)/exec", "-H",
        "unix://\(Self.socket(in: directory))", "--pidfile", "\(directory)/pid", "--bridge", "none",
        "--iptables=false", "--ip6tables=false",
      ]
      let neighbours = FilePath(program).removingLastComponent()
      let entrance =
        neighbours.isEmpty
        ? [] : ["env", "PATH=\(([neighbours.string] + Tool.path).joined(separator: ":"))"]
      return entrance + [program] + options + arguments
    } isReady: { directory in
      let client = EngineClient(.unix(Self.socket(in: directory)))
      // A poll: dockerd says nowhere else when it is ready.
      let answers = (try? await client.ping()) != nil
      await client.shutdown()
      return answers
    }
  }

  /// Stops dockerd; its images stay for `resume()`.
  package func pause() async throws { try await daemon.pause() }

  /// Starts dockerd again on the same images.
  package func resume() async throws { try await daemon.resume() }

  /// Ends it and removes its directory.
  package func stop() async throws { try await daemon.stop() }

  /// The end of dockerd's own log.
  package var log: String { daemon.log }

  private static func socket(in directory: FilePath) -> FilePath {
    directory.appending("docker.sock")
  }
}
