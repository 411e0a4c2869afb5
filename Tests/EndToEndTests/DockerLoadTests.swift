import Images
import Runtimes
import SystemPackage
import TestSupport
import Testing

/// Loading into a real dockerd: what is Docker's alone beside what every runtime goes through. Each
/// test has image names of its own in the one daemon.
@Suite(.enabled(if: DockerDaemon.isExpected, Comment(rawValue: DockerDaemon.requirement)))
struct DockerLoadTests {
  /// One test's engine, and a directory for its archives.
  private struct Setting {
    var directory: FilePath
    var docker: DockerEngine

    func open(_ bytes: [UInt8]) throws -> ImageArchive {
      let path = directory.appending("image.tar")
      // As Bazel does: the old file goes, a new one comes.
      try Tool.run("rm", ["-f", path.string])
      try path.write(bytes)
      return try ImageArchive.open(path)
    }

    func load(_ image: TestImage, as name: String) async throws -> LoadResult {
      try await docker.load(
        open(image.dockerArchive()), as: try #require(ImageReference(name)))
    }

    /// What the engine holds, asked by a client that knows nothing of the load.
    func held(_ name: String) async throws -> EngineClient.Image? {
      try await docker.client.image(name)
    }

    func remove(_ name: String) throws {
      try Tool.run("docker", ["-H", "\(docker.client.endpoint)", "image", "rm", "-f", name])
    }
  }

  private func setting<Value>(
    _ daemon: DockerDaemon? = nil, _ body: (Setting) async throws -> Value
  ) async throws -> Value {
    let running: DockerDaemon
    if let daemon { running = daemon } else { running = try await .shared() }
    let client = EngineClient(.unix(running.socket))
    do {
      let value = try await withScratchDirectory { directory in
        try await body(Setting(directory: directory, docker: DockerEngine(client)))
      }
      await client.shutdown()
      return value
    } catch {
      await client.shutdown()
      throw error
    }
  }

  /// Layers that no other test has, so that none is there already.
  private func image(_ test: String, layers: Int = 3) -> TestImage {
    TestImage(
      layers: (0..<layers).map { index in
        TestImage.layer(
          "\(test)-\(index)",
          index == 0 ? TestImage.filling(1 << 20, seed: test) : Array(test.utf8))
      })
  }

  @Test func `the first load sends every layer, and the ID is the configuration's digest`()
    async throws
  {
    try await setting { setting in
      let image = image("first")
      let result = try await setting.load(image, as: "lab/first:dev")
      #expect(result.isChanged)
      #expect(result.id == image.id)
      #expect(result.layersSent == 3)
      #expect(result.layersTotal == 3)
      let held = try await setting.held("lab/first:dev")
      #expect(held?.id == image.id)
      #expect(held?.layers == image.diffIDs)
    }
  }

  @Test func `a changed middle layer is sent with those above it`() async throws {
    try await setting { setting in
      var image = image("middle")
      _ = try await setting.load(image, as: "lab/middle:dev")
      image.layers[1] = TestImage.layer("middle-1", "edited")
      let result = try await setting.load(image, as: "lab/middle:dev")
      #expect(result.layersSent == 2)
      #expect(result.bytesSent < 32_768)
      #expect(try await setting.held("lab/middle:dev")?.layers == image.diffIDs)
    }
  }

  @Test func `a changed base is an image sent whole`() async throws {
    try await setting { setting in
      var image = image("base")
      _ = try await setting.load(image, as: "lab/base:dev")
      image.layers[0] = TestImage.layer("base-0", "edited")
      #expect(try await setting.load(image, as: "lab/base:dev").layersSent == 3)
      #expect(try await setting.held("lab/base:dev")?.id == image.id)
    }
  }

  @Test func `a base that was pruned in between is found out and sent`() async throws {
    try await setting { setting in
      var image = image("pruned")
      _ = try await setting.load(image, as: "lab/pruned:dev")
      try setting.remove("lab/pruned:dev")
      // The engine still believes that the lower layers are there.
      image.layers[2] = TestImage.layer("pruned-2", "edited")
      let result = try await setting.load(image, as: "lab/pruned:dev")
      #expect(result.layersSent == 3)
      #expect(try await setting.held("lab/pruned:dev")?.id == image.id)
    }
  }

  @Test func `a layer that is not what its diff ID says is refused, and the name stays`()
    async throws
  {
    try await setting { setting in
      let good = image("lie")
      _ = try await setting.load(good, as: "lab/lie:dev")
      var claimed = good
      claimed.layers[2] = TestImage.layer("lie-2", "what it should be")
      let archive = try setting.open(
        claimed.dockerArchive(replacing: [2: TestImage.layer("lie-2", "what it is")]))
      let reference = try #require(ImageReference("lab/lie:dev"))
      let error = await #expect(throws: ImageArchiveError.self) {
        try await setting.docker.load(archive, as: reference)
      }
      #expect(error?.member == "layer \(claimed.diffIDs[2])")
      #expect(try await setting.held("lab/lie:dev")?.id == good.id)
    }
  }

  @Test func `an OCI layout is loaded like a docker-archive`() async throws {
    try await setting { setting in
      let image = image("layout")
      let archive = try setting.open(TestImage.ociArchive([image]))
      let result = try await setting.docker.load(
        archive, as: try #require(ImageReference("lab/layout:dev")))
      #expect(result.id == image.id)
      #expect(try await setting.held("lab/layout:dev")?.layers == image.diffIDs)
    }
  }

  @Test func `loads at once all arrive`() async throws {
    try await setting { setting in
      let images = (0..<6).map { index in
        var image = image("atonce")
        image.layers[2] = TestImage.layer("atonce-2", "\(index)")
        return image
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (index, image) in images.enumerated() {
          let path = setting.directory.appending("image\(index).tar")
          try path.write(image.dockerArchive())
          let archive = try ImageArchive.open(path)
          let reference = try #require(ImageReference("lab/atonce\(index):dev"))
          let docker = setting.docker
          group.addTask { _ = try await docker.load(archive, as: reference) }
        }
        try await group.waitForAll()
      }
      for (index, image) in images.enumerated() {
        #expect(try await setting.held("lab/atonce\(index):dev")?.id == image.id)
      }
    }
  }

  @Test func `of many loads at once the broken one fails, and no other`() async throws {
    try await setting { setting in
      let base = TestImage.layer("base", TestImage.filling(1 << 20, seed: "mixed"))
      let archives = try (0..<8).map { number -> (ImageArchive, ImageReference, Digest) in
        let image = TestImage(layers: [base, TestImage.layer("app", "mixed \(number)")])
        let path = setting.directory.appending("\(number).tar")
        // One holds another layer than its configuration says.
        let other = TestImage.layer("app", "not what it should be")
        try path.write(image.dockerArchive(replacing: number == 5 ? [1: other] : [:]))
        return (
          try ImageArchive.open(path),
          try #require(ImageReference("lab/mixed\(number):dev")), image.id
        )
      }
      let failed = await withTaskGroup(of: Int?.self) { group in
        for (number, (archive, reference, _)) in archives.enumerated() {
          group.addTask {
            (try? await setting.docker.load(archive, as: [reference])) == nil ? number : nil
          }
        }
        return await group.reduce(into: [Int]()) { failed, number in
          if let number { failed.append(number) }
        }
      }
      #expect(failed == [5])
      for (number, (_, reference, id)) in archives.enumerated() {
        let held = try await setting.held(reference.description)?.id
        #expect(held == (number == 5 ? nil : id))
      }
    }
  }

  @Test func `a daemon that stops is told, and one that comes back is used`() async throws {
    let daemon = try await DockerDaemon()
    try await setting(daemon) { setting in
      let image = image("restart")
      _ = try await setting.load(image, as: "lab/restart:dev")
      try await daemon.pause()
      let error = await #expect(throws: RuntimeError.self) {
        try await setting.load(image, as: "lab/restart:dev")
      }
      #expect(error?.kind == .unreachable)
      #expect(
        error?.description.hasPrefix("docker does not answer at \(daemon.host): ") == true,
        "\(String(describing: error))")
      try await daemon.resume()
      let again = try await setting.load(image, as: "lab/restart:dev")
      #expect(!again.isChanged)
      var edited = image
      edited.layers[2] = TestImage.layer("restart-2", "edited")
      #expect(try await setting.load(edited, as: "lab/restart:dev").layersSent == 1)
    }
    try await daemon.stop()
  }
}
