import Images
import Testing

@Suite struct SHA256Tests {
  /// Source: FIPS 180-4's examples.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func `a sum is the standard's`(text: String, sum: String) {
    #expect(Digest(of: text.utf8).hexadecimal == sum)
  }

  @Test func `pieces come to the same as the whole, and a copy goes its own way`() {
    let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    var hash = SHA256()
    hash.update(Array(bytes[..<63]))
    hash.update([])
    let start = hash
    hash.update(Array(bytes[63...]))
    #expect(Digest(finished: hash.finalize()) == Digest(of: bytes))
    // To finish is not to end.
    #expect(Digest(finished: hash.finalize()) == Digest(of: bytes))
    #expect(Digest(finished: start.finalize()) == Digest(of: bytes[..<63]))
  }
}
