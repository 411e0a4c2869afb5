extension Blob {
  /// The SHA-256 of the content, read in pieces.
  @concurrent package func digest() async throws -> Digest {
    var hash = SHA256()
    try read { chunk in
      try Task.checkCancellation()
      hash.update(chunk)
    }
    return Digest(finished: hash.finalize())
  }

  /// The same for a file that may be a layer, while its archive is opened.
  func hash() throws(ImageArchiveError) -> Digest {
    var hash = SHA256()
    do {
      try read { hash.update($0) }
    } catch {
      throw error as? ImageArchiveError ?? ImageArchiveError(path: file.path, reason: .truncated)
    }
    return Digest(finished: hash.finalize())
  }

  /// Sees to it that a gzip'ed layer is what its configuration says.
  ///
  /// - Throws: `ImageArchiveError` when it is not; `CancellationError`.
  @concurrent package func check(unpacked expected: Digest) async throws {
    let unpacked = UnpackedDigest()
    do {
      try read { chunk in
        try Task.checkCancellation()
        try unpacked.add(chunk)
      }
      let actual = try unpacked.finish()
      guard actual == expected else { throw unpacksToOther(expected, actual) }
    } catch is Inflation.Damaged {
      throw unpacksToOther(expected, nil)
    }
  }

  /// Reads all of the content, piece by piece.
  package func read(_ use: ([UInt8]) throws -> Void) throws {
    var position: Int64 = 0
    while position < size {
      let count = Int(min(Int64(ImageStream.chunkSize), size - position))
      try use(try read(at: position, count: count))
      position += Int64(count)
    }
  }
}

extension ImageLayer {
  /// The digest that a gzip'ed layer must unpack to. A receiver that only keeps bytes does not compare it.
  package var unpackedDigest: Digest? { compression == .gzip ? diffID : nil }
}
