import Basics
import Graph
import Images
import SystemPackage
import TestSupport
import Testing

@testable import Runner
@testable import Runtimes

/// Containers in a real engine, and images that run in them until they are told to end.
struct RolledContainer: Sendable {
  let client: EngineClient
  /// How the engine's own client is called.
  let program: [String]
  let reference: ImageReference
  let name: String
  let directory: FilePath

  /// Runs a test with a container of its own, in the docker that tests share.
  static func with(
    _ name: String, _ body: @Sendable (RolledContainer) async throws -> Void
  ) async throws {
    let docker = try await DockerDaemon.shared()
    let client = EngineClient(.unix(docker.socket))
    let result: Result<Void, any Error>
    do {
      try await withScratchDirectory { directory in
        let container = RolledContainer(
          client: client, program: ["docker", "-H", docker.host],
          reference: try #require(ImageReference("lab/\(name):dev")), name: name,
          directory: directory)
        defer { container.end() }
        try await body(container)
      }
      result = .success(())
    } catch {
      result = .failure(error)
    }
    await client.shutdown()
    try result.get()
  }

  /// The image as it is built next: it says which version it is, then runs or ends.
  func load(
    version: String, script: String = "exec /bin/busybox sleep 1000"
  ) async throws -> RolledImage {
    let path = try Tool.run("sh", ["-c", "command -v busybox"]).split(separator: "\n").first
    let busybox = try FilePath(String(path ?? "/bin/busybox")).read()
    let app = "#!/bin/busybox sh\ntrap 'exit 0' TERM\necho version \(version)\n\(script)\n"
    let image = TestImage(layers: [
      TestImage.layer("bin/busybox", busybox, isExecutable: true),
      TestImage.layer("app", Array(app.utf8), isExecutable: true),
    ])
    let file = directory.appending("\(version).tar")
    try file.write(image.dockerArchive())
    let result = try await DockerEngine(client).load(try ImageArchive.open(file), as: reference)
    return RolledImage(
      name: name, references: [reference], configDigest: image.id,
      loaded: [client.runtime: result.id])
  }

  /// Makes the container as a user would.
  func make(_ options: String...) throws {
    try engine(["run", "-d", "--name", name] + options + [shownReference])
  }

  @discardableResult
  func engine(_ arguments: [String]) throws -> String {
    try Tool.run(program[0], program.dropFirst() + arguments)
  }

  private var shownReference: String {
    client.runtime == "podman" ? reference.local.description : reference.description
  }

  func roll(_ image: RolledImage, timeout: Duration = .seconds(20)) async throws -> RolloutResult {
    try await ContainerRollout(
      container: name, engines: [client], rule: RolloutRule(timeout: timeout),
      clock: ContinuousClock()
    ).roll(image)
  }

  func spec() async throws -> ContainerSpec { try #require(await client.containerSpec(name)) }

  /// The names of all containers that a rollout of this one may have left.
  func names() throws -> Set<String> {
    let text = try engine(["ps", "-a", "--format", "{{.Names}}"])
    return Set(text.split(separator: "\n").map(String.init).filter { $0.hasPrefix(name) })
  }

  func end() {
    for suffix in ["", ".watchbuild-new", ".watchbuild-old"] {
      // It may be gone.
      _ = try? engine(["rm", "-f", name + suffix])
    }
  }
}
