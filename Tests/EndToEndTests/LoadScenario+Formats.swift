import Images
import Runtimes
import SystemPackage
import TestSupport
import Testing

extension LoadScenario {
  /// What an image may have come in: each time one whose layers the runtime has never seen.
  static let formats: [LoadScenario] =
    compressions + [
      LoadScenario("OCI layout with an index of several platforms") { stage in
        let image = stage.image()
        var foreign = image
        foreign.architecture = "s390x"
        try await stage.load(
          stage.open(TestImage.ociArchive([foreign, image], hasPlatforms: true)))
        try await stage.expect(image)
      },
      LoadScenario("tar of several images") { stage in
        let image = stage.image()
        var foreign = stage.image()
        foreign.architecture = "s390x"
        foreign.layers[2] = TestImage.layer("foreign", "not for this machine")
        // The first for this machine, whatever stands before and after it.
        var last = stage.image()
        last.layers[2] = TestImage.layer("last", "for this machine too")
        try await stage.load(stage.open(TestImage.dockerArchive([foreign, image, last])))
        try await stage.expect(image)
        let layout = "lab/\(stage.name)-layout:dev"
        try await stage.load(
          stage.open(TestImage.ociArchive([foreign, last, image], hasPlatforms: true)),
          as: layout)
        try await stage.expect(last, as: layout)
      },
    ]

  private static let compressions = [TestImage.Compression.gzip, .zstd].flatMap { compression in
    [
      LoadScenario("\(compression) layers in every kind of archive") { stage in
        for form in Form.allCases {
          var image = stage.image()
          image.layers[1] = TestImage.layer("\(stage.name)-1", "in a \(form)")
          image.layers[2] = TestImage.layer("\(stage.name)-2", "on top in a \(form)")
          image.layers[0] = TestImage.layer(
            "\(stage.name)-0", TestImage.filling(100_000, seed: "\(stage.name) \(form)"))
          try await image.compress(by: compression)
          let name = "lab/\(stage.name)-\(form):dev".lowercased()
          let result = try await stage.load(form.open(image, on: stage), as: name)
          #expect(result.layersSent == 3, "\(form)")
          #expect(try await stage.harness.held(name) == image.id, "\(form)")
          guard form == .dockerArchive else { continue }
          // What was compressed is below, and only the top is new.
          image.layers[2] = TestImage.layer("\(stage.name)-2", "edited")
          try await image.compress(by: compression)
          #expect(try await stage.load(form.open(image, on: stage), as: name).layersSent == 1)
          #expect(try await stage.harness.held(name) == image.id)
        }
      },
      LoadScenario("layers there already without \(compression)") { stage in
        var image = stage.image()
        try await stage.load(image)
        try await image.compress(by: compression)
        for form in Form.allCases {
          try await stage.load(form.open(image, on: stage))
          try await stage.expect(image)
        }
        // Over layers that are there in both ways, one that is there in neither.
        image.layers[2] = TestImage.layer("\(stage.name)-2", "edited")
        try await image.compress(by: compression)
        try await stage.load(stage.open(image.dockerArchive()))
        try await stage.expect(image)
        image.stored = [:]
        try await stage.load(image)
        try await stage.expect(image)
      },
    ]
  }

  private enum Form: String, CaseIterable, CustomStringConvertible {
    case dockerArchive, layoutTar, layoutDirectory, hybrid

    var description: String { rawValue }

    func open(_ image: TestImage, on stage: Stage) throws -> ImageArchive {
      switch self {
      case .dockerArchive: return try stage.open(image.dockerArchive())
      case .layoutTar: return try stage.open(TestImage.ociArchive([image]))
      case .hybrid: return try stage.open(image.hybridArchive())
      case .layoutDirectory:
        let directory = stage.directory.appending("layout")
        try Tool.run("rm", ["-rf", directory.string])
        try Tool.run("mkdir", ["-p", "\(directory)/blobs/sha256"])
        for (name, content) in TestImage.layoutFiles([image]) {
          try directory.pushing(FilePath(name)).write(content)
        }
        return try ImageArchive.open(directory)
      }
    }
  }
}
