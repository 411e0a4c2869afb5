import SystemPackage

/// A tar to be sent: its length is known before its first byte is read.
///
/// Layers are read from the archive's own descriptor while they are sent.
package struct ImageStream: Sendable {
  /// Of every chunk but the last, in bytes.
  package static let chunkSize = 256 << 10

  fileprivate enum Part: Sendable {
    case bytes([UInt8])
    case blob(Blob)
  }

  private var parts: [Part] = []
  /// Of the whole stream, in bytes.
  package private(set) var length: Int64 = 0

  mutating func appendMember(_ name: String, _ content: [UInt8]) {
    let size = Int64(content.count)
    append(.bytes(TarFraming.header(name: name, size: size) + content), size + 512)
    appendZeros(TarFraming.padding(after: size))
  }

  mutating func appendMember(_ name: String, _ content: Blob) {
    append(.bytes(TarFraming.header(name: name, size: content.size)), 512)
    append(.blob(content), content.size)
    appendZeros(TarFraming.padding(after: content.size))
  }

  mutating func appendEnd() {
    appendZeros(TarFraming.endSize)
  }

  private mutating func appendZeros(_ count: Int) {
    guard count > 0 else { return }
    append(.bytes([UInt8](repeating: 0, count: count)), Int64(count))
  }

  private mutating func append(_ part: Part, _ size: Int64) {
    parts.append(part)
    length += size
  }
}

extension ImageStream: AsyncSequence {
  package typealias Element = [UInt8]

  package func makeAsyncIterator() -> Iterator { Iterator(parts: parts) }

  package struct Iterator: AsyncIteratorProtocol {
    private let parts: [Part]
    private var index = 0
    /// How much of the current part has gone out.
    private var position: Int64 = 0

    fileprivate init(parts: [Part]) {
      self.parts = parts
    }

    /// - Throws: `ImageArchiveError` when a layer can't be read to its end.
    package mutating func next() async throws -> [UInt8]? {
      var chunk: [UInt8] = []
      chunk.reserveCapacity(ImageStream.chunkSize)
      while chunk.count < ImageStream.chunkSize, index < parts.count {
        let room = ImageStream.chunkSize - chunk.count
        let size: Int64
        switch parts[index] {
        case .bytes(let bytes):
          let end = Swift.min(Int(position) + room, bytes.count)
          chunk += bytes[Int(position)..<end]
          position = Int64(end)
          size = Int64(bytes.count)
        case .blob(let blob):
          let count = Int(Swift.min(Int64(room), blob.size - position))
          chunk += try blob.read(at: position, count: count)
          position += Int64(count)
          size = blob.size
        }
        if position == size {
          index += 1
          position = 0
        }
      }
      return chunk.isEmpty ? nil : chunk
    }
  }
}

extension Blob {
  /// All of the `count` bytes that lie `position` bytes into it.
  func read(at position: Int64, count: Int) throws(ImageArchiveError) -> [UInt8] {
    let bytes: [UInt8]
    do throws(Errno) {
      bytes = try file.bytes(at: offset + position, count: count)
    } catch {
      throw ImageArchiveError(path: file.path, reason: .unreadable(error))
    }
    // Someone cut the file short in place; Bazel never does.
    guard bytes.count == count else {
      throw ImageArchiveError(path: file.path, reason: .truncated)
    }
    return bytes
  }
}
