import SystemPackage
import TestSupport
import Testing

@testable import Images

/// Archives of several images, and images of several names.
@Suite struct SeveralImagesTests {
  private static func image(
    _ content: String, _ tags: [String], _ architecture: String = ImageArchiveTests.hostArchitecture
  ) -> TestImage {
    TestImage(
      layers: [TestImage.layer("base", "base"), TestImage.layer("app", content)], tags: tags,
      architecture: architecture)
  }

  private func opened(_ bytes: [UInt8]) async throws -> [ImageArchive] {
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(bytes)
      return try ImageArchive.openAll(path)
    }
  }

  private static func names(_ archives: [ImageArchive]) -> [Digest: [String]] {
    archives.reduce(into: [:]) { $0[$1.configDigest] = $1.tags.map(\.description) }
  }

  @Test func `a bundle's images are all read, each with all its names`() async throws {
    let one = Self.image("one", ["lab/one:dev", "lab/one:latest"])
    let two = Self.image("two", ["lab/two:dev"])
    let archives = try await opened(TestImage.dockerArchive([one, two]))
    #expect(
      Self.names(archives) == [
        one.id: ["lab/one:dev", "lab/one:latest"], two.id: ["lab/two:dev"],
      ])
  }

  @Test func `an image that a bundle lists once for each name is one`() async throws {
    let one = Self.image("one", ["lab/one:dev"])
    var again = one
    again.tags = ["lab/other:dev"]
    let archives = try await opened(TestImage.dockerArchive([one, again]))
    #expect(Self.names(archives) == [one.id: ["lab/one:dev", "lab/other:dev"]])
  }

  @Test func `an index may list an image once for each name`() async throws {
    let one = Self.image("one", ["lab/one:dev"])
    var again = one
    again.tags = ["lab/one:latest"]
    let two = Self.image("two", ["lab/two:dev"])
    let archives = try await opened(TestImage.ociArchive([one, again, two]))
    #expect(
      Self.names(archives) == [
        one.id: ["lab/one:dev", "lab/one:latest"], two.id: ["lab/two:dev"],
      ])
  }

  @Test func `of an index without platforms the configurations tell which is for this machine`()
    async throws
  {
    let foreign = Self.image("foreign", [], "s390x")
    let native = Self.image("native", [])
    #expect(
      try await opened(TestImage.ociArchive([foreign, native])).map(\.configDigest) == [native.id])
  }

  @Test func `a nested index that says little is read`() async throws {
    let foreign = Self.image("foreign", [], "s390x")
    let native = Self.image("native", [])
    // As rules_oci's index: no schema version, no media type of its own, no platforms.
    let inner = Array(
      "{\"manifests\":[\(foreign.ociDescriptor()),\(native.ociDescriptor())]}".utf8)
    let outer = """
      {"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json",\
      "digest":"\(Digest(of: inner))","size":\(inner.count),\
      "annotations":{"org.opencontainers.image.ref.name":"lab/nested:dev"}}]}
      """
    var tar = TarBuilder()
    for (name, content) in TestImage.layoutFiles([foreign, native]) where name != "index.json" {
      tar.add(name, content)
    }
    tar.add("blobs/sha256/\(Digest(of: inner).hexadecimal)", inner)
    tar.add("index.json", Array(outer.utf8))
    #expect(Self.names(try await opened(tar.finished())) == [native.id: ["lab/nested:dev"]])
  }

  @Test func `an image for another machine need not be in the archive`() async throws {
    let foreign = Self.image("foreign", [], "s390x")
    let native = Self.image("native", [])
    var tar = TarBuilder()
    let index = TestImage.ociIndex([foreign, native].map { $0.ociDescriptor(hasPlatform: true) })
    for (name, content) in TestImage.layoutFiles([native]) {
      tar.add(name, name == "index.json" ? index : content)
    }
    #expect(try await opened(tar.finished()).map(\.configDigest) == [native.id])
  }

  @Test func `the same member twice is one where it is equal, and an error where it is not`()
    async throws
  {
    let image = Self.image("app", ["lab/app:dev"])
    func archive(_ again: [UInt8]) -> [UInt8] {
      var tar = TarBuilder()
      tar.add("config.json", image.config)
      tar.add("a.tar", image.layers[0])
      tar.add("b.tar", image.layers[1])
      tar.add("a.tar", again)
      tar.add("manifest.json", Array(image.dockerManifest(layers: ["a.tar", "b.tar"]).utf8))
      return tar.finished()
    }
    #expect(try await opened(archive(image.layers[0])).map(\.configDigest) == [image.id])
    let error = await #expect(throws: ImageArchiveError.self) {
      try await opened(archive(image.layers[1]))
    }
    #expect(error?.reason == .duplicate)
  }

  @Test func `a tar that is gzip'ed as a whole is read`() async throws {
    let image = Self.image("app", ["lab/app:dev"])
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(image.dockerArchive())
      try Tool.run("gzip", ["-n", path.string])
      let packed = directory.appending("image.tar.gz")
      let archive = try ImageArchive.open(packed)
      #expect(archive.configDigest == image.id)
      #expect(
        try archive.layers[1].blob.read(at: 0, count: Int(archive.layers[1].size))
          == image.layers[1])
      try directory.appending("short.tar.gz").write(Array(try packed.read().dropLast(9)))
      #expect(
        throws: ImageArchiveError(
          path: directory.appending("short.tar.gz"), reason: .damaged("gzip"))
      ) { try ImageArchive.open(directory.appending("short.tar.gz")) }
      guard case .file(let file) = try ArchiveFile.open(packed) else { return }
      let error = #expect(throws: ImageArchiveError.self) {
        try CompressedArchive.unpacked(file, limit: 1000)
      }
      #expect(error?.description.contains("more than the 1000 accepted") == true)
    }
  }

  @Test func `layers named by their digest are known by it, whatever the name ends with`() {
    let digest = Digest(of: [1])
    for ending in ["", ".tar.gz", ".tar"] {
      #expect(DockerArchive.digest("blobs/sha256/\(digest.hexadecimal)\(ending)") == digest)
    }
    #expect(DockerArchive.digest("\(digest.hexadecimal).tar") == nil)
    #expect(DockerArchive.digest("blobs/sha256/\(digest.hexadecimal)0") == nil)
  }
}
