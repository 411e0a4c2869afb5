import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Runtimes

extension LoadScenario {
  /// Images of several names, and images straight from the layout that a build left.
  static let layouts: [LoadScenario] = [
    LoadScenario("all of several names") { stage in
      var stage = stage
      let image = stage.image()
      let texts = [stage.reference, "lab/\(stage.name):latest", "lab/\(stage.name)-other:dev"]
      let names = try texts.map { try #require(ImageReference($0)) }
      let archive = try stage.open(image.dockerArchive())
      let first = try await stage.runtime.load(archive, as: names)
      #expect(first.isChanged)
      #expect(first.layersSent == 3)
      for text in texts { try await stage.expect(image, as: text) }
      stage.runtime = stage.harness.makeRuntime()
      #expect(try await !stage.runtime.load(archive, as: names).isChanged)
      // One stands for another image: the others alone are not enough.
      var other = image
      other.environment = ["OTHER=1"]
      try await stage.load(other, as: texts[1])
      let again = try await stage.runtime.load(archive, as: names)
      #expect(again.isChanged)
      #expect(again.layersSent == 0)
      for text in texts { try await stage.expect(image, as: text) }
      // All of them move on.
      let moved = try stage.open(other.dockerArchive(), "other.tar")
      #expect(try await stage.runtime.load(moved, as: names).isChanged)
      for text in texts { try await stage.expect(other, as: text) }
      #expect(try await lasting { try stage.harness.temporaryNames() } == [])
    },
    LoadScenario("layouts of links that another build has broken") { stage in
      for blobs in TestLayout.Blobs.allCases {
        var image = stage.image()
        image.layers[2] = TestImage.layer("\(stage.name)-2", "by \(blobs)")
        try await image.compress(by: .gzip)
        let layout = try TestLayout(in: stage.directory, [image], blobs: blobs)
        let archive = try ImageArchive.open(layout.directory)
        try Tool.run("rm", ["-rf", layout.elsewhere.string])
        let result = try await stage.load(archive)
        try await stage.expect(image)
        #expect(result.layersSent == (blobs == .copies ? 3 : 1), "\(blobs)")
        // The way through the tar gives the same, and is no other image.
        let tar = "lab/\(stage.name)-tar:dev"
        let same = try await stage.load(stage.open(image.dockerArchive()), as: tar)
        try await stage.expect(image, as: tar)
        if stage.runtime.name == "docker" { #expect(same.id == result.id) }
      }
    },
    LoadScenario("layers that are left out where the runtime has them") { stage in
      var image = stage.image()
      try await image.compress(by: .gzip)
      var layout = try TestLayout(in: stage.directory, [image])
      try await stage.load(ImageArchive.open(layout.directory))
      image.layers[2] = TestImage.layer("\(stage.name)-2", "edited")
      try await image.compress(by: .gzip)
      layout = try TestLayout(in: stage.directory, [image])
      let base = layout.path(of: try #require(image.stored[0]))
      try Tool.run("mv", [base.string, "\(base).descriptor.json"])
      #expect(try await stage.load(ImageArchive.open(layout.directory)).layersSent == 1)
      try await stage.expect(image)
      // Where it does not have them, and nobody else does, the remedy is told and nothing moves.
      let kept = image
      image.layers[0] = TestImage.layer("\(stage.name)-0", "another base")
      try await image.compress(by: .gzip)
      layout = try TestLayout(in: stage.directory, [image])
      let other = layout.path(of: try #require(image.stored[0]))
      try Tool.run("mv", [other.string, "\(other).descriptor.json"])
      let archive = try ImageArchive.open(layout.directory)
      let error = await #expect(throws: ImageArchiveError.self) { try await stage.load(archive) }
      #expect(error?.reason == .notHere)
      try await stage.expect(kept)
    },
    LoadScenario("gzip layer that unpacks to something else") { stage in
      let good = stage.image()
      try await stage.load(good)
      var claimed = good
      claimed.layers[2] = TestImage.layer("\(stage.name)-lie", "what it should be")
      var lie = claimed
      lie.layers[2] = TestImage.layer("\(stage.name)-lie", "what it is")
      try await lie.compress(by: .gzip)
      let archive = try stage.open(
        claimed.dockerArchive(replacing: [2: try #require(lie.stored[2])]))
      // Twice: what was refused once is never "unchanged".
      for _ in 0..<2 {
        await #expect(throws: (any Error).self) { try await stage.load(archive) }
        try await stage.expect(good)
      }
      try await claimed.compress(by: .gzip)
      try await stage.load(claimed)
      try await stage.expect(claimed)
    },
    LoadScenario("zstd layers of docker's own media types") { stage in
      var image = stage.image()
      image.hasDockerTypes = true
      try await image.compress(by: .zstd)
      let layout = try TestLayout(in: stage.directory, [image])
      try await stage.load(ImageArchive.open(layout.directory))
      try await stage.expect(image)
    },
  ]
}
