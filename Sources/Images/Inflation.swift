import CZlib

/// Unpacks gzip piece by piece, in bounded memory; also several packed files one behind another, which
/// count as one.
final class Inflation {
  /// The bytes are no gzip, or not what its checksums say.
  struct Damaged: Error {}

  /// At once, in bytes.
  private static let chunkSize = 256 << 10

  private let stream: UnsafeMutablePointer<z_stream>
  private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkSize, alignment: 16)
  /// All that was added ends where a packed file ends.
  private(set) var isComplete = false

  init() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let result = watchbuild_inflate_init(stream)
    precondition(result == Z_OK, "zlib has no memory, or is of another version: \(result)")
  }

  deinit {
    inflateEnd(stream)
    stream.deinitialize(count: 1)
    stream.deallocate()
    chunk.deallocate()
  }

  /// - Parameter use: Given what is unpacked, piece by piece.
  /// - Throws: `Damaged`; what `use` throws.
  func add(_ bytes: [UInt8], _ use: (UnsafeRawBufferPointer) throws -> Void) throws {
    var bytes = bytes
    try bytes.withUnsafeMutableBufferPointer { input in
      stream.pointee.next_in = input.baseAddress
      stream.pointee.avail_in = UInt32(input.count)
      var isFull = false
      while stream.pointee.avail_in > 0 || isFull {
        if isComplete {
          // Another packed file begins; zeros may fill up the last block instead.
          guard stream.pointee.next_in.pointee != 0 else {
            stream.pointee.next_in += 1
            stream.pointee.avail_in -= 1
            continue
          }
          inflateReset(stream)
          isComplete = false
        }
        stream.pointee.next_out = chunk.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(chunk.count)
        let result = inflate(stream, Z_NO_FLUSH)
        guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
          throw Damaged()
        }
        let count = chunk.count - Int(stream.pointee.avail_out)
        try use(UnsafeRawBufferPointer(rebasing: chunk[..<count]))
        isComplete = result == Z_STREAM_END
        isFull = stream.pointee.avail_out == 0 && !isComplete
      }
    }
  }
}

/// The digest of what gzip'ed bytes unpack to, of which one piece after another is added.
package final class UnpackedDigest {
  private let inflation = Inflation()
  private var hash = SHA256()

  package init() {}

  /// - Throws: `Inflation.Damaged`.
  package func add(_ bytes: [UInt8]) throws {
    try inflation.add(bytes) { hash.update($0) }
  }

  /// - Throws: `Inflation.Damaged` when the bytes end too early.
  package func finish() throws -> Digest {
    guard inflation.isComplete else { throw Inflation.Damaged() }
    return Digest(finished: hash.finalize())
  }
}
