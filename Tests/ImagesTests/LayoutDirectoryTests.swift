import SystemPackage
import TestSupport
import Testing

@testable import Images

/// Layouts as directories, whose blobs may be links to what another build takes away.
@Suite struct LayoutDirectoryTests {
  private static let image = TestImage(
    layers: [TestImage.layer("base", "base"), TestImage.layer("app", "app")])

  private func laidOut<Value>(
    _ blobs: TestLayout.Blobs, _ body: (TestLayout) async throws -> Value
  ) async throws -> Value {
    try await withScratchDirectory {
      try await body(try TestLayout(in: $0, [Self.image], blobs: blobs))
    }
  }

  @Test(arguments: TestLayout.Blobs.allCases)
  func `blobs are read in whatever way they are there, also when they have gone since`(
    _ blobs: TestLayout.Blobs
  ) async throws {
    try await laidOut(blobs) { layout in
      let archive = try ImageArchive.open(layout.directory)
      #expect(archive.configDigest == Self.image.id)
      try Tool.run("rm", ["-rf", layout.directory.string, layout.elsewhere.string])
      for (layer, bytes) in zip(archive.layers, Self.image.layers) {
        #expect(try layer.blob.read(at: 0, count: Int(layer.size)) == bytes)
      }
    }
  }

  @Test(arguments: [TestLayout.Blobs.links, .linksToLinks, .absoluteLinks])
  func `a link to what is not there is told with where it leads`(
    _ blobs: TestLayout.Blobs
  ) async throws {
    try await laidOut(blobs) { layout in
      let missing = layout.elsewhere.appending(
        String(Digest(of: Self.image.layers[1]).hexadecimal))
      try Tool.run("rm", [missing.string])
      let error = #expect(throws: ImageArchiveError.self) {
        try ImageArchive.open(layout.directory)
      }
      #expect(error?.danglingTarget == missing)
      #expect(error?.member == "blobs/sha256/\(missing.lastComponent?.string ?? "")")
    }
  }

  @Test func `a layout that is itself a broken link says so`() async throws {
    try await withScratchDirectory { directory in
      let link = directory.appending("image")
      try Tool.run("ln", ["-s", "nowhere", link.string])
      let error = #expect(throws: ImageArchiveError.self) { try ImageArchive.open(link) }
      #expect(error?.danglingTarget == directory.appending("nowhere"))
    }
  }

  @Test func `a link that leads round in a circle is an error, and nothing is waited for`()
    async throws
  {
    try await laidOut(.copies) { layout in
      let blob = layout.path(of: Self.image.layers[0])
      try Tool.run("ln", ["-sf", blob.lastComponent?.string ?? "", blob.string])
      #expect(throws: ImageArchiveError.self) { try ImageArchive.open(layout.directory) }
      try Tool.run("rm", [blob.string])
      try Tool.run("mkfifo", ["\(blob).pipe"])
      try Tool.run("ln", ["-s", "\(blob).pipe", blob.string])
      let error = #expect(throws: ImageArchiveError.self) {
        try ImageArchive.open(layout.directory)
      }
      #expect(error?.reason == .notAMember)
    }
  }

  @Test func `a layer that the layout describes but leaves out has to come from elsewhere`()
    async throws
  {
    try await laidOut(.copies) { layout in
      let blob = layout.path(of: Self.image.layers[0])
      try Tool.run("mv", [blob.string, "\(blob).descriptor.json"])
      let archive = try ImageArchive.open(layout.directory)
      #expect(archive.layers.map(\.isHere) == [false, true])
      #expect(archive.layers[0].size == Int64(Self.image.layers[0].count))
      let error = await #expect(throws: ImageArchiveError.self) { try await archive.fetching() }
      #expect(error?.description.contains(#"layer_handling = "eager""#) == true)
      // Of a runtime that has it nothing is fetched.
      #expect(try await archive.fetching(above: 1).layers[1].isHere)
    }
  }

  @Test func `a layer is found among other outputs of the build`() async throws {
    try await laidOut(.copies) { layout in
      let blob = layout.path(of: Self.image.layers[0])
      let output = layout.elsewhere.appending("base.tar")
      try Tool.run("mv", [blob.string, output.string])
      let other = layout.elsewhere.appending("other.tar")
      try other.write([UInt8](repeating: 1, count: Self.image.layers[0].count))
      let supply = LayerSupply(files: [other, "/nowhere", output])
      let archive = try ImageArchive.open(layout.directory, supply: supply)
      #expect(archive.layers.map(\.isHere) == [true, true])
      #expect(
        try archive.layers[0].blob.read(at: 0, count: Int(archive.layers[0].size))
          == Self.image.layers[0])
    }
  }

  @Test func `a layer that is nowhere is fetched when it is needed, and then alone`() async throws {
    try await laidOut(.copies) { layout in
      let blob = layout.path(of: Self.image.layers[0])
      let cached = layout.elsewhere.appending("cached")
      try Tool.run("mv", [blob.string, cached.string])
      let digest = Digest(of: Self.image.layers[0])
      let source = LayerSupply.Source(registry: "registry.test", repository: "base")
      let supply = LayerSupply(sources: [digest: [source]]) { wanted, size, sources in
        #expect(wanted == digest)
        #expect(sources == [source])
        guard case .file(let file) = try ArchiveFile.open(cached) else { throw Errno.isDirectory }
        return Blob(file: file, offset: 0, size: size)
      }
      let archive = try ImageArchive.open(layout.directory, supply: supply)
      #expect(archive.layers.map(\.isHere) == [false, true])
      #expect(try await archive.fetching().layers.map(\.isHere) == [true, true])
    }
  }
}
