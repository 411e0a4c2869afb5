import Images
import Runtimes
import TestSupport
import Testing

extension LoadScenario {
  /// What happened before a load.
  static let histories: [LoadScenario] = [
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
    LoadScenario("base of an image of another name, seen by a new run") { stage in
      var stage = stage
      var image = stage.image()
      // So much that a look at all images is worth it.
      image.layers[0] = TestImage.layer(
        "\(stage.name)-0", TestImage.filling(5 << 20, seed: stage.name))
      try await stage.load(image)
      image.layers[2] = TestImage.layer("other", "the other one")
      stage.runtime = stage.harness.makeRuntime()
      let result = try await stage.load(image, as: "lab/\(stage.name)-two:dev")
      #expect(result.layersSent == 1)
      try await stage.expect(image, as: "lab/\(stage.name)-two:dev")
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
    LoadScenario("many layers") { stage in
      var image = TestImage(layers: (0..<120).map { TestImage.layer("many-\($0)", "\($0)") })
      try await stage.load(image)
      image.layers[119] = TestImage.layer("many", "edited")
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
  ]
}
