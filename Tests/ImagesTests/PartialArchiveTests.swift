import SystemPackage
import TestSupport
import Testing

@testable import Images

@Suite struct PartialArchiveTests {
  private let image = TestImage(layers: [
    TestImage.layer("base", TestImage.filling(600_000, seed: "base")),
    TestImage.layer("lib", "lib"),
    TestImage.layer("app", "app"),
  ])

  private func withArchive<Value>(
    _ image: TestImage, _ body: (ImageArchive, FilePath) async throws -> Value
  ) async throws -> Value {
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(image.dockerArchive())
      return try await body(try ImageArchive.open(path), directory)
    }
  }

  private func names(_ bytes: [UInt8], in directory: FilePath) throws -> [String] {
    let path = directory.appending("sent.tar")
    try path.write(bytes)
    guard case .file(let file) = try ArchiveFile.open(path) else { return [] }
    var reader = TarReader(file)
    var names: [String] = []
    while let member = try reader.next() { names.append(member.displayName) }
    return names
  }

  private func collect(_ stream: ImageStream) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await chunk in stream { bytes += chunk }
    return bytes
  }

  @Test(arguments: 0...3)
  func `only the layers above the known ones are sent`(known: Int) async throws {
    try await withArchive(image) { archive, directory in
      let reference = try #require(ImageReference("lab/app:dev"))
      let partial = PartialArchive(.init(archive, as: [reference], knownLayers: known))
      let bytes = try await collect(partial.stream)
      #expect(Int64(bytes.count) == partial.stream.length)
      #expect(partial.layersSent == 3 - known)
      let layers = image.diffIDs[known...].map { "\($0.hexadecimal).tar" }
      #expect(
        try names(bytes, in: directory)
          == ["manifest.json", "\(image.id.hexadecimal).json"] + layers)
    }
  }

  @Test func `the whole is an archive of the same image under the name asked for`() async throws {
    try await withArchive(image) { archive, directory in
      let reference = try #require(ImageReference("other:tag"))
      let whole = try await collect(
        PartialArchive(.init(archive, as: [reference], knownLayers: 0)).stream)
      let path = directory.appending("whole.tar")
      try path.write(whole)
      let copy = try ImageArchive.open(path)
      #expect(copy.configDigest == image.id)
      #expect(copy.tags == [reference])
      for (layer, original) in zip(copy.layers, image.layers) {
        #expect(try await layer.blob.digest() == Digest(of: original))
      }
    }
  }

  @Test func `what GNU tar makes of it is what was put in`() async throws {
    try await withArchive(image) { archive, directory in
      let reference = try #require(ImageReference("lab/app:dev"))
      let path = directory.appending("whole.tar")
      try path.write(
        try await collect(PartialArchive(.init(archive, as: [reference], knownLayers: 0)).stream))
      try Tool.run("tar", ["-xf", path.string, "-C", directory.string])
      for (layer, diffID) in zip(image.layers, image.diffIDs) {
        #expect(try directory.appending("\(diffID.hexadecimal).tar").read() == layer)
      }
    }
  }

  @Test func `layers of equal content are sent once`() async throws {
    let layer = TestImage.layer("a", "a")
    try await withArchive(TestImage(layers: [layer, layer, layer])) { archive, _ in
      let reference = try #require(ImageReference("lab/app:dev"))
      #expect(PartialArchive(.init(archive, as: [reference], knownLayers: 0)).layersSent == 1)
      // The chain above a known layer is new, even where its content is not.
      #expect(PartialArchive(.init(archive, as: [reference], knownLayers: 1)).layersSent == 1)
    }
  }

  @Test func `images that go together send what they share once`() async throws {
    let base = TestImage.layer("base", "base")
    let one = TestImage(layers: [base, TestImage.layer("app", "1")], tags: ["lab/one:dev"])
    let two = TestImage(layers: [base, TestImage.layer("app", "2")], tags: ["lab/two:dev"])
    try await withArchive(one) { first, _ in
      try await withArchive(two) { second, directory in
        let pieces = [first, second].map {
          PartialArchive.Piece($0, as: $0.tags, knownLayers: 0)
        }
        let together = PartialArchive(pieces, telling: [])
        #expect(together.layersSent == 3)
        let path = directory.appending("both.tar")
        try path.write(try await collect(together.stream))
        let images = try ImageArchive.openAll(path)
        #expect(Set(images.map(\.configDigest)) == [one.id, two.id])
        #expect(
          images.flatMap(\.tags).map(\.description).sorted() == ["lab/one:dev", "lab/two:dev"])
      }
    }
  }

  @Test func `no chunk is larger than the buffer`() async throws {
    try await withArchive(image) { archive, _ in
      let reference = try #require(ImageReference("lab/app:dev"))
      var sizes: [Int] = []
      for try await chunk in PartialArchive(.init(archive, as: [reference], knownLayers: 0)).stream
      {
        sizes.append(chunk.count)
      }
      #expect(sizes.dropLast().allSatisfy { $0 == ImageStream.chunkSize })
      #expect(sizes.count == 3)
    }
  }

  @Test func `a file cut short while it is sent is an error`() async throws {
    try await withArchive(image) { archive, directory in
      let reference = try #require(ImageReference("lab/app:dev"))
      let stream = PartialArchive(.init(archive, as: [reference], knownLayers: 0)).stream
      try Tool.run("truncate", ["-s", "1000", directory.appending("image.tar").string])
      await #expect(throws: ImageArchiveError.self) { try await collect(stream) }
    }
  }

  @Test func `a size of more than eight gigabytes fits the header`() throws {
    let header = TarFraming.header(name: "big", size: 10 << 30)
    #expect(TarHeader(block: header)?.size == 10 << 30)
  }

  @Test func `the OCI form is read back as the same image`() async throws {
    try await withArchive(image) { archive, directory in
      let reference = try #require(ImageReference("lab/app:dev"))
      let converted = try await LayoutImage(archive)
      let layout = LayoutArchive([LayoutArchive.Entry(converted, as: reference)])
      let bytes = try await collect(layout.stream)
      #expect(Int64(bytes.count) == layout.stream.length)
      let path = directory.appending("layout.tar")
      try path.write(bytes)
      let copy = try ImageArchive.open(path)
      #expect(copy.configDigest == image.id)
      #expect(copy.manifest == converted.manifest)
      #expect(copy.layers.map(\.diffID) == image.diffIDs)
      #expect(copy.tags.map(\.normalized) == [reference.normalized])
    }
  }

  @Test func `a stream tells every load that it is made for how far it has got`() async throws {
    try await withArchive(image) { archive, _ in
      let loads = [LoadProgress(), LoadProgress()]
      let image = try await LayoutImage(archive)
      var entries: [LayoutArchive.Entry] = []
      for (number, load) in loads.enumerated() {
        let reference = try #require(ImageReference("lab/app\(number):dev"))
        entries.append(
          LoadProgress.$current.withValue(load) { LayoutArchive.Entry(image, as: reference) })
      }
      let stream = LayoutArchive(entries).stream
      _ = try await collect(stream)
      let whole = LoadProgress.Count(
        sent: stream.length, total: stream.length, layersSent: 3, layersTotal: 3)
      #expect(loads.map(\.count) == [whole, whole])
    }
  }
}
