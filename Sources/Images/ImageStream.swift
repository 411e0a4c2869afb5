import SystemPackage

/// A tar to be sent: its length is known before its first byte is read.
///
/// Layers are read from the archive's own descriptor while they are sent, and hashed where their
/// digest is known: one that is not what it should be ends the stream before its last byte.
package struct ImageStream: Sendable {
  /// Bytes of every chunk but the last.
  package static let chunkSize = 256 << 10

  fileprivate enum Part: Sendable {
    case bytes([UInt8])
    case blob(Blob, Expectation?, isEnd: Bool)
  }

  fileprivate struct Expectation: Sendable {
    var digest: Digest
    /// The digest that gzip'ed content must unpack to; `nil`: the receiver compares it.
    var unpacked: Digest?
    /// As an error calls it.
    var member: String
  }

  private var parts: [Part] = []
  /// Progress of every load that the stream serves: it may be read in another task.
  private var progress: [LoadProgress]
  /// Bytes of the whole stream.
  package private(set) var length: Int64 = 0
  /// Layers that end in it.
  private var layers = 0

  /// - Parameter progress: Of the loads that it is made for; by default that of the current one.
  package init(telling progress: [LoadProgress] = LoadProgress.current.map { [$0] } ?? []) {
    self.progress = progress
  }

  /// Tells another, too, how far it has been read.
  package mutating func tell(_ another: LoadProgress) { progress.append(another) }

  mutating func appendMember(_ name: String, _ content: [UInt8]) {
    let size = Int64(content.count)
    append(.bytes(TarFraming.header(name: name, size: size) + content), size + 512)
    appendZeros(TarFraming.padding(after: size))
  }

  /// - Parameter digest: Of the content as it is stored; `nil` where it is not known.
  mutating func appendMember(_ name: String, _ content: Blob, expecting digest: Digest?) {
    append(.bytes(TarFraming.header(name: name, size: content.size)), 512)
    appendBlob(content, expecting: digest)
    appendZeros(TarFraming.padding(after: content.size))
  }

  /// Content without any framing.
  ///
  /// - Parameters:
  ///   - unpacked: The digest of what gzip'ed content unpacks to, where the receiver does not look.
  ///   - isEnd: Whether a layer ends with it; more of it follows in another stream if not.
  package mutating func appendBlob(
    _ content: Blob, expecting digest: Digest?, unpacked: Digest? = nil, isEnd: Bool = true
  ) {
    let expectation = digest.map {
      Expectation(digest: $0, unpacked: unpacked, member: "layer \($0)")
    }
    append(.blob(content, expectation, isEnd: isEnd), content.size)
    if isEnd { layers += 1 }
  }

  package mutating func appendBytes(_ bytes: [UInt8]) {
    append(.bytes(bytes), Int64(bytes.count))
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

  package func makeAsyncIterator() -> Iterator {
    for load in progress { load.begin(length, layers: layers) }
    return Iterator(parts: parts, progress: progress)
  }

  package struct Iterator: AsyncIteratorProtocol {
    private let parts: [Part]
    private var index = 0
    /// Bytes of the current part that have gone out.
    private var position: Int64 = 0
    /// The digest of the bytes that have gone out of the current part.
    private var hash = SHA256()
    private var unpacked: UnpackedDigest?

    private let progress: [LoadProgress]

    fileprivate init(parts: [Part], progress: [LoadProgress]) {
      self.parts = parts
      self.progress = progress
    }

    /// - Throws: `ImageArchiveError` when a layer can't be read to its end, or is not what its
    ///   digest says.
    package mutating func next() async throws -> [UInt8]? {
      var chunk: [UInt8] = []
      chunk.reserveCapacity(ImageStream.chunkSize)
      var layers = 0
      while chunk.count < ImageStream.chunkSize, index < parts.count {
        let room = ImageStream.chunkSize - chunk.count
        let size: Int64
        switch parts[index] {
        case .bytes(let bytes):
          let end = Swift.min(Int(position) + room, bytes.count)
          chunk += bytes[Int(position)..<end]
          position = Int64(end)
          size = Int64(bytes.count)
        case .blob(let blob, let expectation, let isEnd):
          let count = Int(Swift.min(Int64(room), blob.size - position))
          let bytes = try blob.read(at: position, count: count)
          position += Int64(count)
          size = blob.size
          if isEnd, position == size { layers += 1 }
          if let expectation {
            hash.update(bytes)
            if expectation.unpacked != nil { try unpack(bytes, of: blob, expectation) }
            if position == size { try check(expectation, in: blob) }
          }
          chunk += bytes
        }
        if position == size {
          index += 1
          position = 0
        }
      }
      for load in progress { load.add(chunk.count, layers: layers) }
      return chunk.isEmpty ? nil : chunk
    }

    private mutating func unpack(
      _ bytes: [UInt8], of blob: Blob, _ expectation: Expectation
    ) throws {
      let unpacked = self.unpacked ?? UnpackedDigest()
      self.unpacked = unpacked
      do {
        try unpacked.add(bytes)
      } catch {
        throw ImageArchiveError(
          path: blob.file.path, member: expectation.member, reason: .damaged("gzip"))
      }
    }

    private mutating func check(_ expectation: Expectation, in blob: Blob) throws {
      let actual = Digest(finished: hash.finalize())
      hash = SHA256()
      guard actual == expectation.digest else {
        throw ImageArchiveError(
          path: blob.file.path, member: expectation.member,
          reason: .digestMismatch(expected: expectation.digest, actual: actual))
      }
      guard let expected = expectation.unpacked else { return }
      // Bytes that end too early unpack to nothing that has a digest.
      let content = try? unpacked?.finish()
      unpacked = nil
      guard content == expected else { throw blob.unpacksToOther(expected, content) }
    }
  }
}

extension Blob {
  /// That a gzip'ed layer is not what the configuration says.
  package func unpacksToOther(_ expected: Digest, _ actual: Digest?) -> ImageArchiveError {
    ImageArchiveError(
      path: file.path, member: "layer \(expected)",
      reason: actual.map { .digestMismatch(expected: expected, actual: $0) } ?? .damaged("gzip"))
  }

  /// All of the `count` bytes that lie `position` bytes into it.
  package func read(at position: Int64, count: Int) throws(ImageArchiveError) -> [UInt8] {
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
