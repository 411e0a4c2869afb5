import Images
import Processes
import Runtimes
import SystemPackage
import TestSupport
import Testing

/// Loading into a real podman over its API.
@Suite(
  .serialized,
  .enabled(
    if: Runtimes.isExpected("podman"), "needs podman (apt-get install podman), run as root"))
struct PodmanLoadTests {
  /// Runs podman on the store of a daemon.
  @discardableResult
  private func podman(_ daemon: TestDaemon, _ arguments: [String]) throws -> String {
    try Tool.run(
      "env",
      [
        "CONTAINERS_STORAGE_CONF=\(daemon.directory)/storage.conf", "podman", "--tmpdir",
        "\(daemon.directory)/tmp", "--cgroup-manager", "cgroupfs", "--events-backend", "file",
      ] + arguments)
  }

  private func run(_ scenario: LoadScenario, in daemon: TestDaemon) async throws {
    let client = EngineClient(
      .unix(daemon.directory.appending("podman.sock")), runtime: "podman")
    let harness = LoadHarness(
      makeRuntime: { DockerEngine(client) },
      held: { try await client.image("localhost/\($0)")?.id },
      remove: { try podman(daemon, ["image", "rm", "-f", "localhost/\($0)"]) },
      run: { name in
        // Podman's own limits are above ours, and without CAP_SYS_RESOURCE none can be raised.
        try podman(
          daemon,
          [
            "run", "--rm", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit",
            "nproc=1000:1000", "localhost/\(name)",
          ])
      }, crash: .of(["podman"], in: daemon))
    do {
      try await scenario.run(harness)
      await client.shutdown()
    } catch {
      await client.shutdown()
      throw error
    }
  }

  @Test(arguments: LoadScenario.all + LoadScenario.running)
  func `podman holds what was built, whatever happened before`(
    scenario: LoadScenario
  ) async throws {
    try await run(scenario, in: Runtimes.podman())
  }

  @Test(arguments: LoadScenario.crashes)
  func `a podman that is killed in mid-load comes back with whole images`(
    scenario: LoadScenario
  ) async throws {
    let daemon = try await Runtimes.makePodman()
    let result: Result<Void, any Error>
    do {
      result = .success(try await run(scenario, in: daemon))
    } catch {
      result = .failure(error)
    }
    try await daemon.stop()
    try result.get()
  }

  @Test func `where no service listens one is started, and ended afterwards`() async throws {
    try await withScratchDirectory { directory in
      let storage = try Runtimes.podmanStorage(in: directory)
      let service = PodmanService(
        in: directory, environment: ["CONTAINERS_STORAGE_CONF": "\(storage)"],
        runner: SubprocessRunner())
      let client = EngineClient(service.endpoint, runtime: "podman")
      let podman = DockerEngine(client, service: service)
      let image = TestImage(layers: [TestImage.layer("started", "on demand")])
      let path = directory.appending("image.tar")
      try path.write(image.dockerArchive())
      let result = try await podman.load(
        try ImageArchive.open(path), as: try #require(ImageReference("lab/started:dev")))
      #expect(result.id == image.id)
      await client.shutdown()
      await service.stop()
      let left = try Tool.run("sh", ["-c", "ls -d \(directory)/watchbuild-podman-* 2>&1 || true"])
      #expect(left.contains("No such file"))
      let processes = try Tool.run(
        "sh", ["-c", "grep -la '\(directory)' /proc/[0-9]*/cmdline || :"])
      #expect(!processes.contains("podman"))
    }
  }
}
