import Images
import SystemPackage
import TestSupport
import Testing

@Suite struct ImageArchiveTests {
  private let image = TestImage(
    layers: [TestImage.layer("base", "base"), TestImage.layer("app", "app")])

  private func opened<Value>(
    _ bytes: [UInt8], _ body: (ImageArchive) async throws -> Value
  ) async throws -> Value {
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(bytes)
      return try await body(try ImageArchive.open(path))
    }
  }

  @Test func `a docker-archive tar is read`() async throws {
    try await opened(image.dockerArchive()) { archive in
      #expect(archive.configDigest == image.id)
      #expect(archive.config == image.config)
      #expect(archive.layers.map(\.diffID) == image.diffIDs)
      #expect(archive.layers.map(\.size) == image.layers.map { Int64($0.count) })
      #expect(archive.layers.map(\.digest) == image.diffIDs)
      #expect(archive.tags.map(\.description) == ["lab/app:dev"])
      #expect(archive.manifest == nil)
    }
  }

  @Test func `an OCI-layout tar is read`() async throws {
    try await opened(TestImage.ociArchive([image])) { archive in
      #expect(archive.configDigest == image.id)
      #expect(archive.layers.map(\.diffID) == image.diffIDs)
      #expect(archive.tags.map(\.description) == ["lab/app:dev"])
      #expect(archive.manifest?.bytes == image.ociManifest)
    }
  }

  @Test func `an OCI-layout directory is read`() async throws {
    try await withScratchDirectory { directory in
      try writeLayout(image, to: directory)
      let archive = try ImageArchive.open(directory)
      #expect(archive.configDigest == image.id)
      #expect(archive.layers.map(\.diffID) == image.diffIDs)
    }
  }

  @Test func `a tar that is both is read by its manifest.json`() async throws {
    var other = image
    other.environment = ["OTHER=1"]
    var tar = TarBuilder()
    tar.append(Array(TestImage.ociArchive([other]).dropLast(1024)))
    tar.append(image.dockerArchive())
    #expect(try await opened(tar.bytes) { $0.configDigest } == image.id)
  }

  @Test func `names that begin with a dot and a slash are the same names`() async throws {
    var tar = TarBuilder()
    tar.add("./", typeflag: "5")
    tar.add("./manifest.json", Array(image.dockerManifest(layers: ["a.tar", "./b.tar"]).utf8))
    tar.add("./config.json", image.config)
    tar.add("./a.tar", image.layers[0])
    tar.add("b.tar", image.layers[1])
    #expect(try await opened(tar.finished()) { $0.layers.map(\.diffID) } == image.diffIDs)
  }

  @Test func `a layer that docker save left as a link is found`() async throws {
    let twice = TestImage(layers: [image.layers[0], image.layers[0]])
    var tar = TarBuilder()
    tar.add("aa/layer.tar", twice.layers[0])
    tar.add("bb/layer.tar", typeflag: "2", link: "../aa/layer.tar")
    tar.add("config.json", twice.config)
    tar.add(
      "manifest.json", Array(twice.dockerManifest(layers: ["aa/layer.tar", "bb/layer.tar"]).utf8))
    let sizes = try await opened(tar.finished()) { $0.layers.map(\.size) }
    #expect(sizes == twice.layers.map { Int64($0.count) })
  }

  @Test func `of several images the one for this machine is taken`() async throws {
    var foreign = image
    foreign.architecture = "s390x"
    var native = image
    native.architecture = Self.hostArchitecture
    let tar = TestImage.ociArchive([foreign, native], hasPlatforms: true)
    #expect(try await opened(tar) { $0.configDigest } == native.id)
  }

  @Test func `an index without an image for this machine says which it has`() async throws {
    var foreign = [image, image]
    foreign[0].architecture = "s390x"
    foreign[1].architecture = "ppc64le"
    let tar = TestImage.ociArchive(foreign, hasPlatforms: true)
    let error = await #expect(throws: ImageArchiveError.self) { try await opened(tar) { _ in } }
    #expect(error?.description.contains("only for linux/s390x, linux/ppc64le") == true)
  }

  @Test func `the archive stays readable when the file is replaced`() async throws {
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(image.dockerArchive())
      let archive = try ImageArchive.open(path)
      try Tool.run("rm", [path.string])
      try path.write(Array("another build is writing here".utf8))
      let reference = try #require(ImageReference("a:b"))
      var sent: [UInt8] = []
      for try await chunk in PartialArchive(.init(archive, as: [reference], knownLayers: 0)).stream
      {
        sent += chunk
      }
      let copy = directory.appending("copy.tar")
      try copy.write(sent)
      #expect(try ImageArchive.open(copy).configDigest == image.id)
    }
  }

  @Test func `a compressed layer is known for what it is`() async throws {
    try await withScratchDirectory { directory in
      let layer = directory.appending("layer.tar")
      try layer.write(image.layers[1])
      try Tool.run("gzip", ["-n", layer.string])
      let compressed = try directory.appending("layer.tar.gz").read()
      try directory.appending("image.tar").write(image.dockerArchive(replacing: [1: compressed]))
      let archive = try ImageArchive.open(directory.appending("image.tar"))
      #expect(archive.layers.map(\.compression) == [.none, .gzip])
      #expect(archive.layers.map(\.digest) == [image.diffIDs[0], nil])
    }
  }

  #if arch(arm64)
    static let hostArchitecture = "arm64"
  #else
    static let hostArchitecture = "amd64"
  #endif
}

/// An OCI layout as rules_oci leaves it.
func writeLayout(_ image: TestImage, to directory: FilePath) throws {
  try Tool.run("mkdir", ["-p", directory.appending("blobs/sha256").string])
  try directory.appending("oci-layout").write(Array("{\"imageLayoutVersion\":\"1.0.0\"}".utf8))
  try directory.appending("index.json").write(TestImage.ociIndex([image.ociDescriptor()]))
  for blob in image.blobs {
    try directory.appending("blobs/sha256/\(Digest(of: blob).hexadecimal)").write(blob)
  }
}
