import Images
import Testing

@Suite struct DigestTests {
  @Test func `the digest of nothing is the one everybody knows`() {
    #expect(
      Digest(of: []).description
        == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }

  @Test func `what is printed is read back as the same digest`() {
    let digest = Digest(of: Array("layer".utf8))
    #expect(Digest(digest.description) == digest)
    #expect("sha256:\(digest.hexadecimal)" == digest.description)
  }

  @Test(arguments: [
    "", "sha256:", "sha256:abc", "sha512:\(String(repeating: "a", count: 64))",
    "sha256:\(String(repeating: "A", count: 64))", "sha256:\(String(repeating: "g", count: 64))",
    "sha256:\(String(repeating: "a", count: 65))", String(repeating: "a", count: 64),
    "sha256:../../../../../../../../../../etc/passwd\(String(repeating: "a", count: 26))",
  ])
  func `text that is no sha256 digest is refused`(text: String) {
    #expect(Digest(text) == nil)
  }
}
