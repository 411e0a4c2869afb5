import SystemPackage
import TestSupport
import Testing

@testable import Images

/// What the images of a target are called.
@Suite struct NamedImageTests {
  private func all(
    named reference: String? = nil, in archives: [ImageArchive]
  ) throws -> (images: [NamedImage], notices: [String]) {
    try NamedImage.all(archives, of: "api", isConfigured: reference != nil) { archive in
      if reference == nil, !archive.tags.isEmpty { return archive.tags }
      return [try #require(ImageReference(reference ?? "api:dev"))]
    }
  }

  private func archives(_ tags: [String]...) async throws -> [ImageArchive] {
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      let images = tags.enumerated().map { number, tags in
        TestImage(
          layers: [TestImage.layer("app", "\(number)")], tags: tags,
          architecture: ImageArchiveTests.hostArchitecture)
      }
      try path.write(TestImage.dockerArchive(images))
      return try ImageArchive.openAll(path)
    }
  }

  private func names(_ images: [NamedImage]) -> [[String]] {
    images.map { $0.references.map(\.description) }
  }

  @Test func `all names of all images are theirs`() async throws {
    let archives = try await archives(["lab/a:1", "lab/a:2"], ["lab/b:1"])
    let (images, notices) = try all(in: archives)
    #expect(names(images) == [["lab/a:1", "lab/a:2"], ["lab/b:1"]])
    #expect(notices.isEmpty)
  }

  @Test func `what is configured goes before what the archive says`() async throws {
    let (images, _) = try all(
      named: "lab/own:dev", in: try await archives(["lab/a:1", "lab/a:2"]))
    #expect(names(images) == [["lab/own:dev"]])
  }

  @Test func `an image without a name has its target's`() async throws {
    let (images, _) = try all(in: try await archives([]))
    #expect(names(images) == [["api:dev"]])
  }

  @Test func `a name that can't be used is told`() async throws {
    let (images, notices) = try all(
      in: try await archives(["Lab/App:dev"]))
    #expect(names(images) == [["api:dev"]])
    #expect(
      notices == [
        "api: the name 'Lab/App:dev' in the image can't be used (names are in lower case); "
          + "it is loaded as api:dev"
      ])
    let (others, more) = try all(
      in: try await archives(["Lab/App:dev", "lab/app:dev"]))
    #expect(names(others) == [["lab/app:dev"]])
    #expect(more.first?.hasSuffix("it is loaded as lab/app:dev") == true)
  }

  @Test func `names that leave open which image is meant are errors`() async throws {
    let reference = try #require(ImageReference("lab/a:1"))
    await #expect(throws: NamedImage.Failure.sameName(reference)) {
      try all(in: try await archives(["lab/a:1"], ["lab/a:1"]))
    }
    await #expect(throws: NamedImage.Failure.nameless(2)) {
      try all(in: try await archives([], []))
    }
    await #expect(throws: NamedImage.Failure.severalImages(2)) {
      try all(
        named: "lab/own:dev", in: try await archives(["lab/a:1"], ["lab/b:1"]))
    }
  }
}
