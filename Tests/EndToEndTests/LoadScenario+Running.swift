import Runtimes
import SystemPackage
import TestSupport
import Testing

extension LoadScenario {
  /// What was loaded does what was built: for a runtime that can run images.
  static let running: [LoadScenario] = [
    LoadScenario("runs after a first load and after partial ones") { stage in
      let run = try #require(stage.harness.run)
      var image = try TestImage.runnable(["one ", "two ", "three"])
      try await stage.load(image)
      #expect(try await run(stage.reference) == "one two three")
      image.layers[2] = TestImage.layer("part-1", "TWO ")
      try await stage.load(image)
      #expect(try await run(stage.reference) == "one TWO three")
      // A layer that takes a file away.
      image.layers.append(TestImage.layer(".wh.part-0", ""))
      #expect(try await stage.load(image).layersSent == 1)
      #expect(try await run(stage.reference) == "TWO three")
      try await stage.expect(image)
    },
    LoadScenario("runs from compressed layers over others that are not") { stage in
      let run = try #require(stage.harness.run)
      var image = try TestImage.runnable(["plain "])
      try await stage.load(image)
      image.layers.append(TestImage.layer("part-1", "gzipped"))
      try await image.compress(by: .gzip)
      image.stored[0] = nil
      try await stage.load(image)
      #expect(try await run(stage.reference) == "plain gzipped")
      try await image.compress(by: .gzip)
      let whole = "lab/\(stage.name)-whole:dev"
      try await stage.load(image, as: whole)
      #expect(try await run(whole) == "plain gzipped")
    },
  ]
}

extension TestImage {
  /// An image that prints these parts, each from a layer of its own over a static busybox.
  static func runnable(_ parts: [String]) throws -> TestImage {
    let path = try Tool.run("sh", ["-c", "command -v busybox"]).split(separator: "\n").first
    let busybox = try FilePath(String(path ?? "/bin/busybox")).read()
    let script = "#!/bin/busybox sh\n/bin/busybox cat /part-*\n"
    return TestImage(
      layers: [layer("bin/busybox", busybox, isExecutable: true)]
        + parts.enumerated().map { layer("part-\($0)", $1) }
        + [layer("app", Array(script.utf8), isExecutable: true)])
  }
}
