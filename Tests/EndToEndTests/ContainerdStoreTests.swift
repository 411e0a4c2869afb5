import Basics
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Runtimes

/// Loading into a real Docker whose images live in containerd.
///
/// One after the other: imports side by side lock each other out.
@Suite(
  .serialized,
  .enabled(if: NewerDocker.isExpected, Comment(rawValue: NewerDocker.requirement)))
struct ContainerdStoreTests {
  /// One test's engine, and how to look at it from outside.
  private struct Setting: Sendable {
    var daemon: DockerDaemon
    var client: EngineClient
    var directory: FilePath

    @discardableResult
    func docker(_ arguments: String...) throws -> String {
      try Tool.run("docker", ["-H", daemon.host] + arguments)
    }

    /// As containerd has it, which lists also what Docker does not show.
    func ctr(_ arguments: String...) throws -> String {
      let socket = daemon.socket.removingLastComponent().appending(
        "exec/containerd/containerd.sock")
      return try Tool.run(
        "ctr", ["--address", socket.string, "--namespace", "moby"] + arguments)
    }

    /// Those of loads under way.
    func temporaryNames() throws -> Set<String> {
      let names = try ctr("images", "ls", "-q").split(separator: "\n").map(String.init)
      return Set(names.filter { $0.contains("watchbuild/loading") })
    }

    /// The configuration of an image that can run and can be saved.
    func held(_ name: String) async throws -> Digest? {
      struct Entry: Decodable { var Config: String }
      guard try await client.image(name) != nil else { return nil }
      let container = try docker("create", name, "/app").split(separator: "\n").last ?? ""
      try docker("rm", String(container))
      let path = directory.appending("saved.tar")
      try docker("save", "-o", path.string, name)
      let manifest = try Tool.run("tar", ["-xOf", path.string, "manifest.json"])
      let entries = try JSONDecoder().decode([Entry].self, from: Data(manifest.utf8))
      return entries.first.flatMap {
        Digest("sha256:\($0.Config.split(separator: "/").last ?? "")")
      }
    }

    func open(_ bytes: [UInt8], _ file: String = "image.tar") throws -> ImageArchive {
      let path = directory.appending(file)
      try Tool.run("rm", ["-f", path.string])
      try path.write(bytes)
      return try ImageArchive.open(path)
    }

    func load(
      _ image: TestImage, as name: String, into runtime: DockerEngine? = nil
    ) async throws -> LoadResult {
      try await (runtime ?? DockerEngine(client)).load(
        open(image.dockerArchive()), as: try #require(ImageReference(name)))
    }
  }

  private func setting<Value>(
    _ own: DockerDaemon? = nil, _ body: (Setting) async throws -> Value
  ) async throws -> Value {
    let daemon: DockerDaemon
    if let own { daemon = own } else { daemon = try await NewerDocker.shared() }
    let client = EngineClient(.unix(daemon.socket))
    do {
      let value = try await withScratchDirectory { directory in
        let setting = Setting(daemon: daemon, client: client, directory: directory)
        let value = try await body(setting)
        #expect(try await lasting { try setting.temporaryNames() } == [])
        return value
      }
      await client.shutdown()
      return value
    } catch {
      await client.shutdown()
      throw error
    }
  }

  /// Layers that no other test has.
  private func image(_ test: String) -> TestImage {
    TestImage(layers: (0..<3).map { TestImage.layer("\(test)-\($0)", "\(test) \($0)") })
  }

  @Test(arguments: LoadScenario.all)
  func `docker's containerd store holds what was built, whatever happened before`(
    scenario: LoadScenario
  ) async throws {
    try await setting { setting in
      #expect(try await setting.client.info().usesContainerdStore)
      try await scenario.run(
        LoadHarness(
          makeRuntime: { DockerEngine(setting.client) },
          held: { try await setting.held($0) },
          remove: { try setting.docker("image", "rm", "-f", $0) }))
    }
  }

  @Test func `what came in part runs, on the file system that was built`() async throws {
    try await setting { setting in
      // Docker's own, and static: it needs nothing else in the image.
      let layer = setting.directory.appending("program.tar")
      try Tool.run(
        "sh",
        [
          "-c", #"cp "$(command -v docker-init)" "$1" && tar -cf "$2" -C "$1" docker-init"#, "sh",
          setting.directory.string, layer.string,
        ])
      var image = image("files")
      image.layers.insert(try layer.read(), at: 0)
      _ = try await setting.load(image, as: "lab/files:dev")
      image.layers[3] = TestImage.layer("files-2", "edited")
      let result = try await setting.load(image, as: "lab/files:dev")
      #expect(result.layersSent == 1)
      let output = try setting.docker(
        "run", "--name", "runner", "--network", "none", "lab/files:dev", "/docker-init", "--version"
      )
      #expect(output.contains("tini version"))
      let path = setting.directory.appending("files.tar")
      try setting.docker("export", "-o", path.string, "runner")
      try setting.docker("rm", "runner")
      let files = try (0..<3).map { try Tool.run("tar", ["-xOf", path.string, "files-\($0)"]) }
      #expect(files == ["files 0", "files 1", "edited"])
    }
  }

  @Test func `layers that a container keeps unpacked are sent where their blobs are gone`()
    async throws
  {
    try await setting { setting in
      let image = image("kept")
      let runtime = DockerEngine(setting.client)
      let id = try await setting.load(image, as: "lab/kept:dev", into: runtime).id
      try setting.docker("create", "--name", "keeper", "lab/kept:dev", "/app")
      try setting.docker("image", "rm", "-f", id.description)
      let result = try await setting.load(image, as: "lab/kept:dev", into: runtime)
      #expect(result.layersSent == 3)
      #expect(try await setting.held("lab/kept:dev") == image.id)
      try setting.docker("rm", "keeper")
    }
  }

  @Test func `layers that are there under another compression are sent`() async throws {
    try await setting { setting in
      let image = image("packed")
      _ = try await setting.load(image, as: "lab/packed:dev")
      let layer = setting.directory.appending("layer.tar")
      try layer.write(image.layers[0])
      try Tool.run("gzip", ["-n", layer.string])
      let packed = try setting.directory.appending("layer.tar.gz").read()
      let archive = try setting.open(image.dockerArchive(replacing: [0: packed]))
      let reference = try #require(ImageReference("lab/packed:dev"))
      let result = try await DockerEngine(setting.client).load(archive, as: reference)
      #expect(result.layersSent == 3)
      #expect(try await setting.held("lab/packed:dev") == image.id)
    }
  }

  @Test func `an image that was left broken under its name is made whole`() async throws {
    try await setting { setting in
      let image = image("broken")
      let archive = try setting.open(image.dockerArchive())
      let reference = try #require(ImageReference("lab/broken:dev"))
      let layout = try await LayoutImage(archive)
      let partial = LayoutArchive(
        [LayoutArchive.Entry(layout, as: reference)], omitting: [layout.digests[0]])
      await #expect(throws: RuntimeError.self) { try await setting.client.load(partial.stream) }
      // What Docker refused has its name all the same.
      #expect(try await setting.client.image("lab/broken:dev")?.id == layout.manifest.digest)
      let result = try await DockerEngine(setting.client).load(archive, as: reference)
      #expect(result.isChanged)
      #expect(try await setting.held("lab/broken:dev") == image.id)
    }
  }

  @Test func `an image that can't be unpacked is refused, and its name stays`() async throws {
    try await setting { setting in
      let good = image("garbage")
      _ = try await setting.load(good, as: "lab/garbage:dev")
      var bad = good
      bad.layers[2] = [UInt8](repeating: 0x5A, count: 2048)
      let error = await #expect(throws: RuntimeError.self) {
        try await setting.load(bad, as: "lab/garbage:dev")
      }
      #expect(
        error?.description.hasPrefix("lab/garbage:dev: docker refused the image: ") == true,
        "\(String(describing: error))")
      #expect(try await setting.held("lab/garbage:dev") == good.id)
    }
  }

  @Test func `one bad image of several at once is one bad image`() async throws {
    try await setting { setting in
      let runtime = DockerEngine(setting.client)
      let images = (0..<5).map { index in
        var image = image("several")
        image.layers[2] =
          index == 2
          ? [UInt8](repeating: 0x5A, count: 2048) : TestImage.layer("several-2", "\(index)")
        return image
      }
      let failed = try await withThrowingTaskGroup(of: Int?.self) { group in
        for (index, image) in images.enumerated() {
          let archive = try setting.open(image.dockerArchive(), "image\(index).tar")
          let reference = try #require(ImageReference("lab/several\(index):dev"))
          group.addTask {
            do {
              _ = try await runtime.load(archive, as: reference)
              return nil
            } catch is RuntimeError {
              return index
            }
          }
        }
        return try await group.compactMap { $0 }.reduce(into: []) { $0.append($1) }
      }
      #expect(failed == [2])
      for (index, image) in images.enumerated() {
        #expect(
          try await setting.held("lab/several\(index):dev") == (index == 2 ? nil : image.id))
      }
    }
  }

  @Test func `a load that is cancelled, wherever it is caught, leaves the old image or the new`()
    async throws
  {
    try await setting { setting in
      var image = image("caught")
      let runtime = DockerEngine(setting.client)
      var last = try await setting.load(image, as: "lab/caught:dev", into: runtime).id
      let reference = try #require(ImageReference("lab/caught:dev"))
      for delay in [5, 20, 50, 100, 150, 200, 300] {
        image.layers[2] = TestImage.layer("caught-2", TestImage.filling(2 << 20, seed: "\(delay)"))
        let archive = try setting.open(image.dockerArchive())
        let new = try await LayoutImage(archive).manifest.digest
        let task = Task { try await runtime.load(archive, as: reference) }
        try await ContinuousClock().pause(for: .milliseconds(delay))
        task.cancel()
        // It may have been done already.
        _ = await task.result
        let held = try #require(try await setting.client.image("lab/caught:dev")?.id)
        #expect(held == last || held == new)
        #expect(try await setting.client.wholeness(of: "lab/caught:dev", held).isComplete)
        #expect(try await setting.client.wholeness(of: "lab/caught:dev", held).isUnpacked)
        #expect(try await lasting { try setting.temporaryNames() } == [])
        last = held
      }
    }
  }

  @Test func `names that a killed process left behind are taken away, no living one's`()
    async throws
  {
    try await setting { setting in
      let image = image("abandoned")
      _ = try await setting.load(image, as: "lab/abandoned:dev")
      let dead = TemporaryName.others(deadProcess: true)
      let alive = TemporaryName.others(deadProcess: false)
      for name in dead + alive {
        try setting.docker("tag", "lab/abandoned:dev", "watchbuild/loading:\(name)")
      }
      _ = try await setting.load(image, as: "lab/abandoned:next")
      let names = try setting.ctr("images", "ls", "-q")
      for name in dead { #expect(!names.contains(name)) }
      for name in alive {
        #expect(names.contains(name))
        try setting.docker("image", "rm", "watchbuild/loading:\(name)")
      }
    }
  }

  @Test func `what was superseded is pruned, unless it is used`() async throws {
    try await setting { setting in
      let runtime = DockerEngine(setting.client)
      let ledger = Ledger(
        in: setting.directory, now: { Date(timeIntervalSince1970: 100_000) })
      let reference = try #require(ImageReference("lab/pruned:dev"))
      var ids: [Digest] = []
      for index in 0..<3 {
        var image = image("pruned")
        image.layers[2] = TestImage.layer("pruned-2", "\(index)")
        let result = try await setting.load(image, as: "lab/pruned:dev", into: runtime)
        ids.append(result.id)
        try await ledger.append([
          Ledger.Entry(
            runtime: runtime.name, reference: reference.description, id: result.id.description,
            time: Int64(index))
        ])
      }
      try setting.docker("create", "--name", "user-of-it", ids[0].description, "/app")
      let outcomes = try await Pruning(
        PruneRule(keep: 0, olderThan: .seconds(1)), ledger: ledger
      ).run(in: runtime)
      #expect(
        outcomes.first { $0.image.id == ids[0] }?.removal == .kept("user-of-it uses it"))
      #expect(outcomes.first { $0.image.id == ids[1] }?.removal == .removed)
      #expect(try await setting.client.image(ids[1].description) == nil)
      #expect(try await setting.client.image(ids[0].description) != nil)
      #expect(try await setting.client.image("lab/pruned:dev")?.id == ids[2])
      try setting.docker("rm", "user-of-it")
    }
  }

  @Test func `a daemon that comes back with its images is sent what changed`() async throws {
    let daemon = try await NewerDocker.start()
    try await setting(daemon) { setting in
      var image = image("restart")
      let runtime = DockerEngine(setting.client)
      _ = try await setting.load(image, as: "lab/restart:dev", into: runtime)
      try await daemon.pause()
      let error = await #expect(throws: RuntimeError.self) {
        try await setting.load(image, as: "lab/restart:dev", into: runtime)
      }
      #expect(error?.kind == .unreachable)
      try await daemon.resume()
      #expect(!(try await setting.load(image, as: "lab/restart:dev", into: runtime).isChanged))
      image.layers[2] = TestImage.layer("restart-2", "edited")
      let result = try await setting.load(image, as: "lab/restart:dev", into: runtime)
      #expect(result.layersSent == 1)
      #expect(try await setting.held("lab/restart:dev") == image.id)
    }
    try await daemon.stop()
  }
}
