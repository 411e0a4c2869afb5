import Images
import Runtimes
import SystemPackage
import TestSupport
import Testing

@Suite struct ImageStoreTests {
  private let base = TestImage.layer("base", TestImage.filling(300_000, seed: "base"))
  private var image: TestImage { TestImage(layers: [base, TestImage.layer("app", "one")]) }

  private struct Setting {
    var directory: FilePath
    var store: ImageStore { ImageStore(directory.appending("images")) }

    func open(_ bytes: [UInt8]) throws -> ImageArchive {
      let path = directory.appending("image.tar")
      try path.write(bytes)
      return try ImageArchive.open(path)
    }

    func load(_ image: TestImage, as name: String = "lab/app:dev") async throws -> LoadResult {
      let archive = try open(image.dockerArchive())
      return try await store.load(archive, as: try #require(ImageReference(name)))
    }

    /// Every file of the layout with its inode, so that a rewritten one shows.
    func listing() throws -> String {
      try Tool.run("find", [store.directory.string, "-type", "f", "-printf", "%P %i %s\n"])
    }
  }

  private func setting<Value>(_ body: (Setting) async throws -> Value) async throws -> Value {
    try await withScratchDirectory { try await body(Setting(directory: $0)) }
  }

  @Test func `what was loaded is read back as the same image`() async throws {
    try await setting { setting in
      let result = try await setting.load(image)
      #expect(result.isChanged)
      #expect(result.layersSent == 2)
      let held = try ImageArchive.open(setting.store.directory)
      #expect(held.configDigest == image.id)
      #expect(held.manifest?.digest == result.id)
      #expect(held.layers.map(\.diffID) == image.diffIDs)
      #expect(held.tags.map(\.description) == ["docker.io/lab/app:dev"])
    }
  }

  @Test func `all names stand for the image after one load, and one that lacks is given alone`()
    async throws
  {
    try await setting { setting in
      let names = try ["lab/app:dev", "lab/app:latest", "lab/other:dev"].map {
        try #require(ImageReference($0))
      }
      _ = try await setting.load(image, as: "lab/app:dev")
      let archive = try setting.open(image.dockerArchive())
      let result = try await setting.store.load(archive, as: names)
      #expect(result.isChanged)
      #expect(result.layersSent == 0)
      #expect(try await !setting.store.load(archive, as: names).isChanged)
      let held = try await setting.store.losses(
        among: Dictionary(uniqueKeysWithValues: names.map { ($0, result.id) }))
      #expect(held.isEmpty)
    }
  }

  @Test func `a gzip layer that is not what its diff ID says is never taken for it`() async throws {
    try await setting { setting in
      var right = image
      try await right.compress(by: .gzip)
      var wrong = image
      wrong.layers[1] = TestImage.layer("app", "another")
      try await wrong.compress(by: .gzip)
      let reference = try #require(ImageReference("lab/app:dev"))
      let content = [0: try #require(right.stored[0]), 1: try #require(wrong.stored[1])]
      let lie = try setting.open(image.dockerArchive(replacing: content))
      for _ in 0..<2 {
        let error = await #expect(throws: ImageArchiveError.self) {
          try await setting.store.load(lie, as: reference)
        }
        #expect(
          error?.reason
            == .digestMismatch(expected: image.diffIDs[1], actual: wrong.diffIDs[1]))
      }
      let result = try await setting.load(right)
      #expect(result.isChanged)
      #expect(try await !setting.load(right).isChanged)
      let held = try ImageArchive.open(setting.store.directory)
      let stored = try #require(right.stored[1])
      #expect(held.layers[1].digest == Digest(of: stored))
    }
  }

  @Test
  func `an image under a manifest of other layers is not the same, whatever its configuration`()
    async throws
  {
    try await setting { setting in
      // As an older version may have left it: right configuration, wrong layer.
      _ = try await setting.load(image)
      var packed = image
      try await packed.compress(by: .gzip)
      let result = try await setting.load(packed)
      #expect(result.isChanged)
      #expect(result.layersSent == 2)
    }
  }

  @Test func `an image that is there already changes no file`() async throws {
    try await setting { setting in
      let first = try await setting.load(image)
      let before = try setting.listing()
      let second = try await setting.load(image)
      #expect(!second.isChanged)
      #expect(second.bytesSent == 0)
      #expect(second.id == first.id)
      #expect(try setting.listing() == before)
    }
  }

  @Test func `only the layer that changed is written`() async throws {
    try await setting { setting in
      _ = try await setting.load(image)
      var changed = image
      changed.layers[1] = TestImage.layer("app", "two")
      let result = try await setting.load(changed)
      #expect(result.layersSent == 1)
      #expect(result.bytesSent < 10_000)
      #expect(try ImageArchive.open(setting.store.directory).configDigest == changed.id)
    }
  }

  @Test func `other names keep their images`() async throws {
    try await setting { setting in
      _ = try await setting.load(image, as: "lab/one:dev")
      var other = image
      other.environment = ["A=1"]
      _ = try await setting.load(other, as: "lab/two:dev")
      let again = try await setting.load(image, as: "lab/one:dev")
      #expect(!again.isChanged)
    }
  }

  @Test func `an image that a name stood for before is told`() async throws {
    try await setting { setting in
      let first = try await setting.load(image, as: "lab/one:dev")
      #expect(first.replaced.isEmpty)
      var other = image
      other.environment = ["A=1"]
      let second = try await setting.load(other, as: "lab/one:dev")
      #expect(Array(second.replaced.values) == [first.id])
    }
  }

  @Test func `a layer that is not what its diff ID says is refused, and nothing is named by it`()
    async throws
  {
    try await setting { setting in
      let lie = TestImage.layer("app", "something else")
      let archive = try setting.open(image.dockerArchive(replacing: [1: lie]))
      let reference = try #require(ImageReference("lab/app:dev"))
      let error = await #expect(throws: ImageArchiveError.self) {
        try await setting.store.load(archive, as: reference)
      }
      #expect(
        error?.reason
          == .digestMismatch(expected: image.diffIDs[1], actual: Digest(of: lie)))
      let files = try setting.listing()
      #expect(!files.contains("index.json"))
      #expect(!files.contains(".watchbuild"))
    }
  }

  @Test func `a blob that lost its content is written again`() async throws {
    try await setting { setting in
      _ = try await setting.load(image)
      let blob = setting.store.directory.appending(
        "blobs/sha256/\(image.diffIDs[0].hexadecimal)")
      try blob.write([])
      let result = try await setting.load(image)
      #expect(result.isChanged)
      #expect(result.layersSent == 1)
      #expect(try blob.read() == base)
    }
  }

  @Test func `a compressed layer is kept as it is`() async throws {
    try await setting { setting in
      let layer = setting.directory.appending("layer.tar")
      try layer.write(image.layers[1])
      try Tool.run("gzip", ["-n", layer.string])
      let compressed = try setting.directory.appending("layer.tar.gz").read()
      let archive = try setting.open(image.dockerArchive(replacing: [1: compressed]))
      let reference = try #require(ImageReference("lab/app:dev"))
      let result = try await setting.store.load(archive, as: reference)
      #expect(result.layersSent == 2)
      let held = try ImageArchive.open(setting.store.directory)
      #expect(held.layers.map(\.digest) == [image.diffIDs[0], Digest(of: compressed)])
      let again = try await setting.store.load(archive, as: reference)
      #expect(!again.isChanged)
    }
  }

  @Test func `an image with a manifest of its own keeps it`() async throws {
    try await setting { setting in
      let archive = try setting.open(TestImage.ociArchive([image]))
      let reference = try #require(ImageReference("lab/app:dev"))
      let result = try await setting.store.load(archive, as: reference)
      #expect(result.id == Digest(of: image.ociManifest))
    }
  }

  @Test func `loads at once lose no name`() async throws {
    try await setting { setting in
      let names = (0..<16).map { "lab/app\($0):dev" }
      let archive = try setting.open(image.dockerArchive())
      try await withThrowingTaskGroup(of: Void.self) { group in
        for name in names {
          let reference = try #require(ImageReference(name))
          group.addTask { _ = try await setting.store.load(archive, as: reference) }
        }
        try await group.waitForAll()
      }
      let index = String(
        decoding: try setting.store.directory.appending("index.json").read(), as: UTF8.self)
      for name in names {
        #expect(index.contains("\"org.opencontainers.image.ref.name\":\"\(name)\""))
      }
    }
  }

  @Test func `entries of other tools stay as they are`() async throws {
    try await setting { setting in
      _ = try await setting.load(image)
      let path = setting.store.directory.appending("index.json")
      let foreign = #"{"artifactType":"x/y","digest":"sha256:00","size":1,"urls":["u"]}"#
      try path.write(
        Array("{\"schemaVersion\":2,\"annotations\":{\"a\":\"b\"},\"manifests\":[\(foreign)]}".utf8)
      )
      _ = try await setting.load(image)
      let text = String(decoding: try path.read(), as: UTF8.self)
      #expect(text.contains(foreign))
      #expect(text.contains(#""annotations":{"a":"b"}"#))
      #expect(text.contains("lab/app:dev"))
    }
  }

  @Test(arguments: ["", "{", "[]", "{\"schemaVersion\":2}"])
  func `a damaged index is told, and left as it is`(content: String) async throws {
    try await setting { setting in
      _ = try await setting.load(image)
      let path = setting.store.directory.appending("index.json")
      try path.write(Array(content.utf8))
      let error = await #expect(throws: RuntimeError.self) { try await setting.load(image) }
      #expect(error?.description.hasPrefix("\(path) is damaged: ") == true)
      #expect(
        error?.description.hasSuffix("; move it away, and the images are loaded anew") == true)
      #expect(try path.read() == Array(content.utf8))
    }
  }

  @Test func `a directory with other things in it is left alone`() async throws {
    try await setting { setting in
      let images = setting.store.directory
      try Tool.run("mkdir", [images.string])
      try images.appending("thesis.txt").write([1])
      let error = await #expect(throws: RuntimeError.self) { try await setting.load(image) }
      #expect(
        error?.description == "\(images) is not empty and holds no OCI image layout; "
          + "name an empty or a new directory")
      #expect(try Tool.run("ls", ["-A", images.string]) == "thesis.txt\n")
    }
  }

  @Test func `what killed writers left does not make the place another's`() async throws {
    try await setting { setting in
      // More names than one read of a directory gives, so that some lie at its very end.
      let directory = setting.store.directory
      try Tool.run("mkdir", [directory.string])
      for number in 0..<300 {
        let name = ".watchbuild-\(number)-" + String(repeating: "x", count: 180 + number % 8)
        try directory.appending(name).write([])
      }
      #expect(try await setting.load(image).isChanged)
    }
  }

  @Test func `a place that can't be written is told`() async throws {
    try await setting { setting in
      let archive = try setting.open(image.dockerArchive())
      let reference = try #require(ImageReference("lab/app:dev"))
      try setting.directory.appending("file").write([1])
      let store = ImageStore(setting.directory.appending("file/images"))
      let error = await #expect(throws: RuntimeError.self) {
        try await store.load(archive, as: reference)
      }
      #expect(
        error?.description
          == "can't write images to \(store.directory): Not a directory; "
          + "check its owner and permissions")
    }
  }

  @Test func `a cancelled load names nothing and leaves nothing half written`() async throws {
    try await setting { setting in
      let archive = try setting.open(image.dockerArchive())
      let reference = try #require(ImageReference("lab/app:dev"))
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await setting.store.load(archive, as: reference)
      }
      await #expect(throws: CancellationError.self) { try await task.value }
      let files = try setting.listing()
      #expect(!files.contains("index.json"))
      #expect(!files.contains(".watchbuild"))
    }
  }
}
