import Images
import Runtimes
import SystemPackage
import TestSupport
import Testing

/// The image store as other tools see it.
@Suite(
  .enabled(
    if: Tool.isRequired || Tool.exists("skopeo"), "needs skopeo (apt-get install skopeo)"))
struct ImageStoreSkopeoTests {
  private let image = TestImage(layers: [
    TestImage.layer("base", TestImage.filling(300_000, seed: "base")),
    TestImage.layer("app", "one"),
  ])

  private func stored<Value>(
    _ bytes: [UInt8], as name: String, _ body: (ImageStore, LoadResult, FilePath) throws -> Value
  ) async throws -> Value {
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(bytes)
      let store = ImageStore(directory.appending("images"))
      let result = try await store.load(
        try ImageArchive.open(path), as: try #require(ImageReference(name)))
      return try body(store, result, directory)
    }
  }

  @Test(arguments: ["lab/app:dev", "registry.local:5000/team/app:dev"])
  func `skopeo finds the image by its name`(name: String) async throws {
    try await stored(image.dockerArchive(), as: name) { store, result, _ in
      let text = try Tool.run("skopeo", ["inspect", "oci:\(store.directory):\(name)"])
      #expect(text.contains("\"Digest\": \"\(result.id)\""))
      for diffID in image.diffIDs { #expect(text.contains(diffID.description)) }
    }
  }

  @Test func `skopeo copies out what was put in`() async throws {
    try await stored(image.dockerArchive(), as: "lab/app:dev") { store, result, directory in
      let copy = directory.appending("copy")
      try Tool.run(
        "skopeo",
        ["--insecure-policy", "copy", "oci:\(store.directory):lab/app:dev", "dir:\(copy)"])
      #expect(Digest(of: try copy.appending("manifest.json").read()) == result.id)
      #expect(try copy.appending("\(image.id.hexadecimal)").read() == image.config)
      for (layer, diffID) in zip(image.layers, image.diffIDs) {
        #expect(try copy.appending("\(diffID.hexadecimal)").read() == layer)
      }
    }
  }

  @Test func `skopeo turns a gzipped layer back into what was built`() async throws {
    try await withScratchDirectory { scratch in
      let layer = scratch.appending("layer.tar")
      try layer.write(image.layers[1])
      try Tool.run("gzip", ["-n", layer.string])
      let archive = image.dockerArchive(
        replacing: [1: try scratch.appending("layer.tar.gz").read()])
      try await stored(archive, as: "lab/app:dev") { store, _, directory in
        let copy = directory.appending("copy.tar")
        try Tool.run(
          "skopeo",
          [
            "--insecure-policy", "copy", "oci:\(store.directory):lab/app:dev",
            "docker-archive:\(copy):lab/app:dev",
          ])
        #expect(try ImageArchive.open(copy).layers.map(\.diffID) == image.diffIDs)
      }
    }
  }
}
