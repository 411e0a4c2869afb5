import Basics
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Runtimes

/// Layers of a base image that rules_img has left in a registry, a real one.
@Suite(
  .enabled(
    if: Tool.isRequired || Tool.exists("docker-registry"),
    "needs docker-registry (apt-get install docker-registry)"), .timeLimit(.minutes(2)))
struct LayerFetcherTests {
  /// An image whose base lies in the registry alone, as a layout of rules_img and its deploy manifest say it.
  private struct Shallow {
    var image: TestImage
    var layout: TestLayout
    var sources: [Digest: [LayerSupply.Source]]
    var base: Digest
    var cache: FilePath
    var fetcher: LayerFetcher

    func open() throws -> ImageArchive {
      let supply = LayerSupply(sources: sources) { [fetcher] in
        try await fetcher.fetch($0, size: $1, from: $2)
      }
      return try ImageArchive.open(layout.directory, supply: supply)
    }
  }

  private func shallow(
    _ name: String, repository: String? = nil, limit: Int64 = 1 << 30,
    _ body: (Shallow) async throws -> Void
  ) async throws {
    let host = try await TestRegistry.shared().host
    try await withScratchDirectory { directory in
      var image = TestImage.named(name)
      try await image.compress(by: .gzip)
      let stored = try #require(image.stored[0])
      let layout = try TestLayout(in: directory, [image])
      try await RegistryPush(host: host).using {
        _ = try await $0.load(
          ImageArchive.open(layout.directory), as: #require(ImageReference("lab/\(name):base")))
      }
      let blob = layout.path(of: stored)
      try Tool.run("mv", [blob.string, "\(blob).descriptor.json"])
      let base = Digest(of: stored)
      let cache = directory.appending("cache")
      let fetcher = LayerFetcher(
        LayerCache(in: PrivateDirectory(below: cache, "layers"), limit: limit), environment: [:],
        certificates: [], runner: SubprocessRunner())
      let sources = [
        LayerSupply.Source(registry: "127.0.0.1:1", repository: "gone"),
        LayerSupply.Source(registry: host, repository: repository ?? "lab/\(name)"),
      ]
      let shallow = Shallow(
        image: image, layout: layout, sources: [base: sources], base: base,
        cache: cache.appending("layers"), fetcher: fetcher)
      let result: Result<Void, any Error>
      do {
        result = .success(try await body(shallow))
      } catch {
        result = .failure(error)
      }
      await fetcher.shutdown()
      try result.get()
    }
  }

  @Test func `a layer that nobody has here comes from its registry, once`() async throws {
    try await shallow("shallow") { shallow in
      let store = ImageStore(shallow.layout.elsewhere.appending("images"))
      let reference = try #require(ImageReference("lab/shallow:dev"))
      let result = try await store.load(shallow.open(), as: reference)
      #expect(result.layersSent == 2)
      #expect(result.id == Digest(of: shallow.image.ociManifest))
      let file = shallow.cache.appending(String(shallow.base.hexadecimal))
      #expect(try file.read() == shallow.image.stored[0])
      // The next time it is here; and where the store has it, it is not even asked for.
      let before = try file.stat().inode
      _ = try await shallow.open().fetching()
      #expect(try file.stat().inode == before)
      try Tool.run("rm", [file.string])
      #expect(try await !store.load(shallow.open(), as: reference).isChanged)
      #expect((try? file.stat()) == nil)
    }
  }

  @Test func `what was kept and has been damaged is fetched anew`() async throws {
    try await shallow("damaged") { shallow in
      _ = try await shallow.open().fetching()
      let file = shallow.cache.appending(String(shallow.base.hexadecimal))
      let size = try file.read().count
      try file.write([UInt8](repeating: 7, count: size))
      let archive = try await shallow.open().fetching()
      #expect(try archive.layers[0].blob.hash() == shallow.base)
    }
  }

  @Test func `a layer that no registry gives is told with every reason and the remedy`()
    async throws
  {
    try await shallow("absent", repository: "lab/nowhere") { shallow in
      let error = await #expect(throws: ImageArchiveError.self) {
        try await shallow.open().fetching()
      }
      let text = "\(String(describing: error))"
      #expect(text.contains("127.0.0.1:1"))
      #expect(text.contains("lab/nowhere"))
      #expect(text.contains(#"layer_handling = "eager""#))
      let kept = try Tool.run("ls", ["-A", shallow.cache.string])
      #expect(kept.isEmpty)
    }
  }

  @Test func `layers that were used least go when there are too many`() async throws {
    try await shallow("bounded", limit: 1000) { shallow in
      _ = try await shallow.open().fetching()
      let file = shallow.cache.appending("0000")
      try file.write([UInt8](repeating: 1, count: 900))
      try Tool.run("touch", ["-d", "2001-01-01", file.string])
      try Tool.run("rm", [shallow.cache.appending(String(shallow.base.hexadecimal)).string])
      _ = try await shallow.open().fetching()
      #expect((try? file.stat()) == nil)
    }
  }
}
