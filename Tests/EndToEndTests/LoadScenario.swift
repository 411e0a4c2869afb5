import Runner
import SystemPackage
import TestSupport
import Testing
import Watcher

/// A runtime under test, and how to look at what it holds from outside.
struct LoadHarness: Sendable {
  /// As in a new run, which has seen nothing yet.
  var makeRuntime: @Sendable () -> any ImageRuntime
  /// The digest of the configuration of the image that a name stands for.
  var held: @Sendable (_ name: String) async throws -> Digest?
  /// Removes an image and the content that nothing else needs.
  var remove: @Sendable (_ name: String) async throws -> Void
}

/// What may have happened before a load, the same for every runtime: afterwards it holds exactly
/// what was built.
struct LoadScenario: Sendable, CustomTestStringConvertible {
  let testDescription: String
  private let body: @Sendable (Stage) async throws -> Void

  private init(_ name: String, _ body: @escaping @Sendable (Stage) async throws -> Void) {
    testDescription = name
    self.body = body
  }

  func run(_ harness: LoadHarness) async throws {
    try await withScratchDirectory { directory in
      let name = testDescription.filter { $0.isLetter }.lowercased()
      try await body(
        Stage(name: name, directory: directory, harness: harness, runtime: harness.makeRuntime()))
    }
  }

  /// One scenario's runtime, images and names.
  struct Stage: Sendable {
    var name: String
    var directory: FilePath
    var harness: LoadHarness
    var runtime: any ImageRuntime

    var reference: String { "lab/\(name):dev" }

    /// Layers that no other scenario has.
    func image(_ layers: Int = 3) -> TestImage {
      TestImage(
        layers: (0..<layers).map { index in
          TestImage.layer(
            "\(name)-\(index)",
            index == 0 ? TestImage.filling(300_000, seed: name) : Array("\(name)\(index)".utf8))
        })
    }

    func open(_ bytes: [UInt8], _ file: String = "image.tar") throws -> ImageArchive {
      let path = directory.appending(file)
      try Tool.run("rm", ["-f", path.string])
      try path.write(bytes)
      return try ImageArchive.open(path)
    }

    @discardableResult
    func load(_ image: TestImage, as name: String? = nil) async throws -> LoadResult {
      try await load(open(image.dockerArchive()), as: name)
    }

    @discardableResult
    func load(_ archive: ImageArchive, as name: String? = nil) async throws -> LoadResult {
      try await runtime.load(archive, as: #require(ImageReference(name ?? reference)))
    }

    func expect(_ image: TestImage, as name: String? = nil) async throws {
      #expect(try await harness.held(name ?? reference) == image.id)
    }
  }

  static let all: [LoadScenario] = [
    LoadScenario("first load") { stage in
      let image = stage.image()
      let result = try await stage.load(image)
      #expect(result.isChanged)
      #expect(result.layersSent == 3)
      #expect(result.layersTotal == 3)
      try await stage.expect(image)
    },
    LoadScenario("unchanged") { stage in
      var stage = stage
      try await stage.load(stage.image())
      stage.runtime = stage.harness.makeRuntime()
      let again = try await stage.load(stage.image())
      #expect(!again.isChanged)
      #expect(again.bytesSent == 0)
    },
    LoadScenario("top layer changed, seen by a new run") { stage in
      var stage = stage
      var image = stage.image()
      try await stage.load(image)
      image.layers[2] = TestImage.layer("top", "edited")
      stage.runtime = stage.harness.makeRuntime()
      let result = try await stage.load(image)
      #expect(result.layersSent == 1)
      #expect(result.bytesSent < 16_384)
      try await stage.expect(image)
    },
    LoadScenario("middle layer changed") { stage in
      var image = stage.image()
      try await stage.load(image)
      image.layers[1] = TestImage.layer("middle", "edited")
      let result = try await stage.load(image)
      #expect(result.bytesSent < 32_768)
      try await stage.expect(image)
    },
    LoadScenario("configuration changed") { stage in
      var image = stage.image()
      try await stage.load(image)
      image.environment = ["MODE=edited"]
      #expect(try await stage.load(image).layersSent == 0)
      try await stage.expect(image)
    },
    LoadScenario("same content under another name") { stage in
      let image = stage.image()
      try await stage.load(image)
      let result = try await stage.load(image, as: "lab/\(stage.name)-two:dev")
      #expect(result.isChanged)
      #expect(result.layersSent == 0)
      try await stage.expect(image)
      try await stage.expect(image, as: "lab/\(stage.name)-two:dev")
    },
    LoadScenario("two images over one base") { stage in
      let first = stage.image()
      var second = first
      second.layers[2] = TestImage.layer("second", "the other one")
      try await stage.load(first)
      let result = try await stage.load(second, as: "lab/\(stage.name)-two:dev")
      #expect(result.layersSent == 1)
      try await stage.expect(second, as: "lab/\(stage.name)-two:dev")
    },
    LoadScenario("deleted in between") { stage in
      let image = stage.image()
      try await stage.load(image)
      try await stage.harness.remove(stage.reference)
      #expect(try await stage.harness.held(stage.reference) == nil)
      #expect(try await stage.load(image).isChanged)
      try await stage.expect(image)
    },
    LoadScenario("base pruned in between") { stage in
      var image = stage.image()
      try await stage.load(image)
      try await stage.harness.remove(stage.reference)
      image.layers[2] = TestImage.layer("pruned", "edited")
      try await stage.load(image)
      try await stage.expect(image)
    },
    LoadScenario("layer that is not what it claims to be") { stage in
      let good = stage.image()
      try await stage.load(good)
      var claimed = good
      claimed.layers[2] = TestImage.layer("lie", "what it should be")
      let archive = try stage.open(
        claimed.dockerArchive(replacing: [2: TestImage.layer("lie", "what it is")]))
      await #expect(throws: ImageArchiveError.self) { try await stage.load(archive) }
      try await stage.expect(good)
      // Whatever was left half done, the next load is right.
      try await stage.load(claimed)
      try await stage.expect(claimed)
    },
    LoadScenario("gzipped layer") { stage in
      let image = stage.image()
      let layer = stage.directory.appending("layer.tar")
      try layer.write(image.layers[1])
      try Tool.run("gzip", ["-n", layer.string])
      let compressed = try stage.directory.appending("layer.tar.gz").read()
      try await stage.load(stage.open(image.dockerArchive(replacing: [1: compressed])))
      try await stage.expect(image)
    },
    LoadScenario("OCI layout with an index of several platforms") { stage in
      let image = stage.image()
      var foreign = image
      foreign.architecture = "s390x"
      try await stage.load(
        stage.open(TestImage.ociArchive([foreign, image], hasPlatforms: true)))
      try await stage.expect(image)
    },
    LoadScenario("many layers") { stage in
      var image = TestImage(layers: (0..<60).map { TestImage.layer("many-\($0)", "\($0)") })
      try await stage.load(image)
      image.layers[59] = TestImage.layer("many", "edited")
      #expect(try await stage.load(image).layersSent == 1)
      try await stage.expect(image)
    },
    LoadScenario("five at once over one base") { stage in
      let images = (0..<5).map { index in
        var image = stage.image()
        image.layers[2] = TestImage.layer("at-once", "\(index)")
        return image
      }
      let results = try await withThrowingTaskGroup(of: LoadResult.self) { group in
        for (index, image) in images.enumerated() {
          let archive = try stage.open(image.dockerArchive(), "image\(index).tar")
          group.addTask { try await stage.load(archive, as: "lab/\(stage.name)-\(index):dev") }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      for (index, image) in images.enumerated() {
        try await stage.expect(image, as: "lab/\(stage.name)-\(index):dev")
      }
      // The base went once, and 512 bytes of framing for each.
      #expect(results.reduce(0) { $0 + $1.bytesSent } < 450_000)
    },
    LoadScenario("cancelled on the way") { stage in
      let good = stage.image()
      try await stage.load(good)
      var big = good
      big.layers[0] = TestImage.layer("big", TestImage.filling(16 << 20, seed: stage.name))
      let archive = try stage.open(big.dockerArchive())
      let task = Task { try await stage.load(archive) }
      // Some way into it; wherever it is caught, the outcome must be the same.
      try await ContinuousClock().pause(for: .milliseconds(60))
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      try await stage.expect(good)
      try await stage.load(big)
      try await stage.expect(big)
    },
  ]
}
