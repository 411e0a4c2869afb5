/// A content digest such as `sha256:9f86…`.
///
/// Source: https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
package struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// `sha256:` and 64 lower-case hexadecimal digits.
  package let description: String

  /// - Returns: `nil` unless the text is `sha256:` and 64 lower-case hexadecimal digits.
  package init?(_ text: String) {
    let digits = text.utf8.dropFirst(7)
    guard text.hasPrefix("sha256:"), digits.count == 64,
      digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { return nil }
    description = text
  }

  /// The SHA-256 of bytes.
  package init(of bytes: some Sequence<UInt8>) {
    var hash = SHA256()
    hash.update(Array(bytes))
    self.init(finished: hash.finalize())
  }

  package init(finished sum: SHA256.Sum) {
    let hexadecimal: [UInt8] = Array("0123456789abcdef".utf8)
    var text = Array("sha256:".utf8)
    for byte in sum.bytes {
      text.append(hexadecimal[Int(byte >> 4)])
      text.append(hexadecimal[Int(byte & 15)])
    }
    description = String(decoding: text, as: UTF8.self)
  }

  /// The part after `sha256:`, which names the blob in an OCI image layout.
  package var hexadecimal: Substring { description.dropFirst(7) }

  package static func < (left: Digest, right: Digest) -> Bool {
    left.description < right.description
  }
}
