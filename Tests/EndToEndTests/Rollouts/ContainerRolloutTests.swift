import Basics
import Events
import FoundationEssentials
import Graph
import Images
import SystemPackage
import TestSupport
import Testing

@testable import Runner
@testable import Runtimes

/// Containers of a real docker, made anew from newer images.
@Suite(.docker, .timeLimit(.minutes(5)))
struct ContainerRolloutTests {
  private func with(
    _ name: String, _ body: @Sendable (RolledContainer) async throws -> Void
  ) async throws {
    try await RolledContainer.with("rolled-\(name)", body)
  }

  @Test func `a container runs the new image with the configuration that it had`() async throws {
    try await with("same") { container in
      _ = try await container.load(version: "one")
      try container.make(
        "--network", "none", "-e", "OWN=1", "-l", "team=shop", "--restart", "unless-stopped",
        "--memory", "64m", "--stop-timeout", "3", "-v", "\(container.directory):/data:ro",
        "--hostname", "shop")
      let before = try await container.spec()
      let image = try await container.load(version: "two")
      #expect(try await container.roll(image) == RolloutResult(isChanged: true, isLive: true))
      let after = try await container.spec()
      #expect(after.image == image.id.description)
      #expect(after.id != before.id)
      #expect(after.container["HostConfig"] == before.container["HostConfig"])
      var (old, new) = (before.container["Config"]?.fields, after.container["Config"]?.fields)
      old?["Env"] = nil
      new?["Env"] = nil
      #expect(old == new)
      #expect(after.container["Config"]?["Env"]?.array?.contains(.string("OWN=1")) == true)
      #expect(await container.client.lastLines(of: container.name).contains("version two"))
      #expect(try container.names() == [container.name])
      // What runs it already stays as it is.
      #expect(try await container.roll(image) == RolloutResult(isChanged: false, isLive: true))
      #expect(try await container.spec().id == after.id)
    }
  }

  @Test(arguments: [false, true])
  func `an image that ends at once is told with its words, and the old one serves`(
    isAlone: Bool
  ) async throws {
    try await with("crash\(isAlone)") { container in
      _ = try await container.load(version: "good")
      // In the host's network two can't run side by side.
      try container.make("--network", isAlone ? "host" : "none")
      let before = try await container.spec()
      let bad = try await container.load(version: "bad", script: "echo no database >&2; exit 3")
      let error = await #expect(throws: RolloutError.self) { try await container.roll(bad) }
      #expect(error?.message == "the new container ended (exit 3)")
      #expect(error?.isOfImage == true)
      #expect(error?.log.contains("version bad") == true)
      #expect(error?.log.contains("no database") == true)
      let after = try await container.spec()
      #expect(after.id == before.id)
      #expect(after.state.isRunning)
      #expect(try container.names() == [container.name])
      // Only where it had to make room was it ever stopped.
      let hasStayed =
        after.container["State"]?["StartedAt"] == before.container["State"]?["StartedAt"]
      #expect(hasStayed == !isAlone)
      let good = try await container.load(version: "mended")
      #expect(try await container.roll(good).isLive)
    }
  }

  @Test func `a container that the engine starts again and again is no success`() async throws {
    try await with("loop") { container in
      _ = try await container.load(version: "good")
      try container.make("--network", "none", "--restart", "always")
      let bad = try await container.load(version: "bad", script: "exit 4")
      let error = await #expect(throws: RolloutError.self) { try await container.roll(bad) }
      #expect(error?.message.contains("(exit 4)") == true, "\(String(describing: error))")
      #expect(try await container.spec().state.isRunning)
    }
  }

  @Test func `a health check decides, and the old one serves until it is passed`() async throws {
    try await with("health") { container in
      let check = ["--health-interval", "200ms", "--health-retries", "2", "--network", "none"]
      _ = try await container.load(version: "good")
      let command = "/bin/busybox test -e /ready"
      try container.engine(
        ["run", "-d", "--name", container.name, "--health-cmd", command] + check
          + [container.reference.description])
      let before = try await container.spec()
      // Docker's form of a check takes /bin/sh, which the image has not: so it fails.
      let bad = try await container.load(version: "ill")
      let error = await #expect(throws: RolloutError.self) { try await container.roll(bad) }
      #expect(
        error?.message.hasPrefix("the new container is unhealthy: ") == true,
        "\(String(describing: error))")
      #expect(try await container.spec().id == before.id)
    }
  }

  @Test func `a container that runs an older image and is not restarted is told once`() async throws
  {
    try await with("older") { container in
      let log = EventHub(now: { Date(timeIntervalSince1970: 0) })
      let older = OlderContainers(of: [], in: [DockerEngine(container.client)], log: log)
      func loaded(_ image: RolledImage) -> Event.ImageChanged {
        var event = Event.ImageChanged(image: "cart", target: "//cart:image", status: .loaded)
        event.refs = [image.reference.description]
        event.id = image.id.description
        event.runtime = "docker"
        return event
      }
      let one = try await container.load(version: "one")
      try container.make("--network", "none")
      await older.look([loaded(one)])
      #expect(log.recorded.isEmpty)
      let two = try await container.load(version: "two")
      await older.look([loaded(two)])
      await older.look([loaded(two)])
      let told = log.recorded.compactMap {
        if case .degraded(let reason) = $0.kind { reason } else { nil }
      }
      #expect(
        told == [
          "cart runs in container \(container.name) with an older image; to have it restarted, add "
            + "rollout: {container: \(container.name)}"
        ])
    }
  }

  @Test func `a rollout that is cancelled leaves the old container`() async throws {
    try await with("cancel") { container in
      _ = try await container.load(version: "one")
      try container.make("--network", "host")
      let before = try await container.spec()
      let image = try await container.load(version: "two")
      let rollout = Task { try await container.roll(image) }
      while try await container.client.container("\(container.name).watchbuild-new") == nil {
        try await ContinuousClock().pause(for: .milliseconds(20))
      }
      rollout.cancel()
      await #expect(throws: CancellationError.self) { try await rollout.value }
      let after = try await container.spec()
      #expect(after.id == before.id)
      #expect(after.state.isRunning)
      #expect(try container.names() == [container.name])
    }
  }

  @Test func `what a rollout that was killed has left is mended by the next`() async throws {
    try await with("killed") { container in
      let image = try await container.load(version: "one")
      try container.make("--network", "none")
      // As between its two renames.
      try container.engine(["rename", container.name, "\(container.name).watchbuild-old"])
      try container.engine(["stop", "-t", "0", "\(container.name).watchbuild-old"])
      try container.engine(
        ["create", "--name", "\(container.name).watchbuild-new", container.reference.description])
      #expect(try await container.roll(image) == RolloutResult(isChanged: false, isLive: true))
      #expect(try container.names() == [container.name])
    }
  }

  @Test func `a container with --rm is made anew like any other`() async throws {
    try await with("rm") { container in
      _ = try await container.load(version: "one")
      try container.make("--rm", "--network", "host")
      let bad = try await container.load(version: "bad", script: "exit 5")
      await #expect(throws: RolloutError.self) { try await container.roll(bad) }
      #expect(try await container.spec().state.isRunning)
      let image = try await container.load(version: "two")
      #expect(try await container.roll(image).isLive)
      #expect(try await container.spec().image == image.id.description)
    }
  }

  @Test func `a container that is not there is told`() async throws {
    try await with("missing") { container in
      let image = try await container.load(version: "one")
      let error = await #expect(throws: RolloutError.self) { try await container.roll(image) }
      #expect(error?.message == "there is no such container in docker")
    }
  }
}

/// The same over podman's API.
@Suite(
  .serialized,
  .enabled(if: Runtimes.isExpected("podman"), "needs podman (apt-get install podman), run as root"))
struct PodmanRolloutTests {
  @Test func `a container of podman's is made anew, and stays where the image ends`() async throws {
    let daemon = try await Runtimes.podman()
    let client = EngineClient(.unix(daemon.directory.appending("podman.sock")), runtime: "podman")
    let result: Result<Void, any Error>
    do {
      try await withScratchDirectory { directory in
        let container = RolledContainer(
          client: client,
          program: [
            "env", "CONTAINERS_STORAGE_CONF=\(daemon.directory)/storage.conf", "podman", "--tmpdir",
            "\(daemon.directory)/tmp", "--cgroup-manager", "cgroupfs", "--events-backend", "file",
          ], reference: try #require(ImageReference("lab/rolled:dev")), name: "rolled",
          directory: directory)
        defer { container.end() }
        try await check(container)
      }
      result = .success(())
    } catch {
      result = .failure(error)
    }
    await client.shutdown()
    try result.get()
  }

  private func check(_ container: RolledContainer) async throws {
    _ = try await container.load(version: "one")
    try container.make(
      "--network", "none", "-e", "OWN=1", "-l", "team=shop", "--ulimit", "nofile=1024:1024",
      "--ulimit", "nproc=1000:1000")
    let image = try await container.load(version: "two")
    #expect(try await container.roll(image).isLive)
    let after = try await container.spec()
    #expect(after.image.hasSuffix(image.id.hexadecimal))
    #expect(after.container["Config"]?["Labels"]?["team"] == .string("shop"))
    #expect(after.container["Config"]?["Env"]?.array?.contains(.string("OWN=1")) == true)
    let bad = try await container.load(version: "bad", script: "echo broken; exit 3")
    let error = await #expect(throws: RolloutError.self) { try await container.roll(bad) }
    #expect(error?.log.contains("broken") == true, "\(String(describing: error))")
    #expect(try await container.spec().id == after.id)
    #expect(try container.names() == [container.name])
  }
}
