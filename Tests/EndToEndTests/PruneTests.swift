import FoundationEssentials
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Runtimes

/// Removing superseded images from real engines.
@Suite(.docker)
struct PruneTests {
  /// Loads three versions of an image and one that nobody wrote down, then prunes.
  private func check(_ client: EngineClient, command: [String]) async throws {
    let runtime = DockerEngine(client)
    try await withScratchDirectory { directory in
      let ledger = Ledger(in: directory, now: { Date(timeIntervalSince1970: 100_000) })
      let reference = try #require(ImageReference("localhost/lab/pruned:dev"))
      var images = (0..<4).map { index in
        TestImage(layers: [TestImage.layer("base", "prune"), TestImage.layer("app", "\(index)")])
      }
      images[0].environment = ["UNKNOWN=1"]
      for (index, image) in images.enumerated() {
        let path = directory.appending("image.tar")
        try path.write(image.dockerArchive())
        let result = try await runtime.load(try ImageArchive.open(path), as: reference)
        guard index > 0 else { continue }
        try await ledger.append([
          Ledger.Entry(
            runtime: runtime.name, reference: reference.description, id: result.id.description,
            time: Int64(index))
        ])
      }
      func isThere(_ index: Int) async throws -> Bool {
        try await client.image(images[index].id.description) != nil
      }
      // One is used by a container that does not even run, which is enough.
      try Tool.run(
        command[0],
        command.dropFirst() + ["create", "--name", "user-of-it", images[1].id.description])
      let pruning = Pruning(PruneRule(keep: 0, olderThan: .seconds(1)), ledger: ledger)
      let dry = try await pruning.run(in: runtime, isDryRun: true)
      #expect(dry.count == 2)
      #expect(try await isThere(2))
      let outcomes = try await pruning.run(in: runtime)
      #expect(outcomes == dry)
      #expect(outcomes.first { $0.image.id == images[2].id }?.removal == .removed)
      #expect(
        outcomes.first { $0.image.id == images[1].id }?.removal == .kept("user-of-it uses it"))
      #expect(try await isThere(0), "not loaded by us")
      #expect(try await isThere(1), "a container uses it")
      #expect(try await !isThere(2))
      #expect(try await isThere(3), "the name stands for it")
      try Tool.run(command[0], command.dropFirst() + ["rm", "user-of-it"])
    }
  }

  @Test func `docker loses what was superseded, and nothing else`() async throws {
    let daemon = try await DockerDaemon.shared()
    let client = EngineClient(.unix(daemon.socket))
    do {
      try await check(client, command: ["docker", "-H", daemon.host])
      await client.shutdown()
    } catch {
      await client.shutdown()
      throw error
    }
  }

  @Test func `podman loses what was superseded, and nothing else`() async throws {
    let daemon = try await Runtimes.podman()
    let client = EngineClient(
      .unix(daemon.directory.appending("podman.sock")), runtime: "podman")
    do {
      try await check(
        client,
        command: [
          "env", "CONTAINERS_STORAGE_CONF=\(daemon.directory)/storage.conf", "podman", "--tmpdir",
          "\(daemon.directory)/tmp", "--cgroup-manager", "cgroupfs", "--events-backend", "file",
        ])
      await client.shutdown()
    } catch {
      await client.shutdown()
      throw error
    }
  }
}
