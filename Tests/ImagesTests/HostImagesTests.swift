import Testing

@testable import Images

@Suite struct HostImagesTests {
  private static let host = Platform(os: "linux", architecture: "amd64")

  private func chosen(_ candidates: (architecture: String?, names: [String])...) -> [Int] {
    HostImages.chosen(
      among: candidates.map { architecture, names in
        .init(
          platform: architecture.map { Platform(os: "linux", architecture: $0) },
          names: Set(names))
      }, host: Self.host)
  }

  @Test func `the only image is taken wherever it is for`() {
    #expect(chosen(("s390x", [])) == [0])
  }

  @Test func `of images of one name, or of none, those for this machine are taken`() {
    #expect(chosen(("arm64", ["a"]), ("amd64", ["a"])) == [1])
    #expect(chosen(("arm64", []), ("amd64", []), ("arm64", [])) == [1])
    #expect(chosen(("arm64", []), (nil, [])) == [1])
  }

  @Test func `images of names of their own are all taken`() {
    #expect(chosen(("amd64", ["a"]), ("amd64", ["b"])) == [0, 1])
    #expect(chosen(("arm64", ["a"]), ("amd64", ["b"])) == [0, 1])
    #expect(chosen(("arm64", ["a"]), ("arm64", ["b"])) == [0, 1])
  }

  @Test func `where all are for other machines and one name means several, none is taken`() {
    #expect(chosen(("arm64", ["a"]), ("s390x", ["a"])) == [])
    #expect(chosen(("arm64", []), ("s390x", [])) == [])
  }
}
