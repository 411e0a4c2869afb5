import Images
import Runtimes
import SystemPackage
import TestSupport
import Testing

/// What every runtime goes through, in a real dockerd.
@Suite(.docker, .serialized)
struct DockerScenarioTests {
  private func run(_ scenario: LoadScenario, in docker: DockerDaemon) async throws {
    let client = EngineClient(.unix(docker.socket))
    let harness = LoadHarness(
      makeRuntime: { DockerEngine(client) }, held: { try await client.image($0)?.id },
      remove: { try Tool.run("docker", ["-H", docker.host, "image", "rm", "-f", $0]) },
      run: { try Tool.run("docker", ["-H", docker.host, "run", "--rm", "--network", "none", $0]) },
      crash: .of(docker))
    do {
      try await scenario.run(harness)
      await client.shutdown()
    } catch {
      await client.shutdown()
      throw error
    }
  }

  private static let scenarios = (LoadScenario.all + LoadScenario.running).filter {
    // Debian's Docker knows no zstd.
    $0.testDescription != "zstd layers in every kind of archive"
      && $0.testDescription != "layers there already without zstd"
      && $0.testDescription != "zstd layers of docker's own media types"
  }

  @Test(arguments: scenarios)
  func `docker holds what was built, whatever happened before`(
    scenario: LoadScenario
  ) async throws {
    try await run(scenario, in: .shared())
  }

  @Test(arguments: LoadScenario.crashes)
  func `a docker that is killed in mid-load comes back with whole images`(
    scenario: LoadScenario
  ) async throws {
    let docker = try await DockerDaemon()
    let result: Result<Void, any Error>
    do {
      result = .success(try await run(scenario, in: docker))
    } catch {
      result = .failure(error)
    }
    try await docker.stop()
    try result.get()
  }

  @Test func `a docker that can't unpack zstd is told so, and what to do`() async throws {
    let docker = try await DockerDaemon.shared()
    let client = EngineClient(.unix(docker.socket))
    var image = TestImage(layers: [TestImage.layer("zstd-base", "base")])
    try await image.compress(by: .zstd)
    let error = try await withScratchDirectory { [image] directory in
      let path = directory.appending("image.tar")
      try path.write(image.dockerArchive())
      let archive = try ImageArchive.open(path)
      let reference = try #require(ImageReference("lab/zstd:dev"))
      return await #expect(throws: RuntimeError.self) {
        try await DockerEngine(client).load(archive, as: reference)
      }
    }
    await client.shutdown()
    #expect(error?.kind == .refused)
    #expect(error?.message.hasPrefix("lab/zstd:dev: docker refused the image: ") == true)
    #expect(
      error?.hint
        == "layers are compressed with zstd, which Docker unpacks since version 23: update it, or "
        + "build the image with gzip or no compression")
  }
}
