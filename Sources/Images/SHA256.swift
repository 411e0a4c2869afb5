import CLibcrypto

/// A SHA-256 that is computed piece by piece.
///
/// OpenSSL uses the processor's own instructions for it where there are any. It is there on every Linux, while a
/// library in source costs four hundred files of C at the first build.
package struct SHA256: Sendable {
  /// The 32 bytes of a finished hash.
  package struct Sum: Sendable {
    fileprivate(set) var bytes: [UInt8]
  }

  private var context = SHA256_CTX()

  package init() { SHA256_Init(&context) }

  package mutating func update(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { update($0) }
  }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    // No bytes have no address.
    if let start = bytes.baseAddress { SHA256_Update(&context, start, bytes.count) }
  }

  /// The sum of all bytes so far; more may follow.
  package func finalize() -> Sum {
    var context = context
    var bytes = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    SHA256_Final(&bytes, &context)
    return Sum(bytes: bytes)
  }
}
