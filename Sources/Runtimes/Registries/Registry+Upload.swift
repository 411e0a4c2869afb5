import Images
import NIOHTTP1
import Synchronization

/// An upload of which nobody knows how far it has got.
private struct LostUpload: Error {
  /// The error to report when it is given up.
  var error: RuntimeError
}

extension Registry {
  /// Sends a blob; an upload that was lost on the way is begun again, unless the blob has arrived all the
  /// same.
  ///
  /// - Parameter location: Of an upload that has been begun.
  /// - Returns: How many bytes were sent.
  func uploadPersistently(
    _ content: Content, _ push: Push, at location: String? = nil
  ) async throws -> Int64 {
    var location = location
    for _ in 0..<2 {
      do {
        return try await upload(content, push, at: location)
      } catch is LostUpload {
        location = nil
        if try await has(content.digest, push) { return content.stream.length }
      }
    }
    do {
      return try await upload(content, push, at: nil)
    } catch let lost as LostUpload {
      throw lost.error
    }
  }

  /// Sends a blob: a large one in pieces, or at once where none are taken.
  ///
  /// An upload that is half done when this throws begins anew the next time: a
  /// registry takes nothing in whose digest it has not seen.
  ///
  /// - Parameter begun: Where an upload has been begun.
  /// - Returns: How many bytes were sent.
  /// - Throws: `LostUpload` when it may go better from the start; `RuntimeError`; `ImageArchiveError`;
  ///   `CancellationError`.
  private func upload(_ content: Content, _ push: Push, at begun: String?) async throws -> Int64 {
    var location: String
    if let begun { location = begun } else { location = try await begin(push) }
    if let layer = content.layer, layer.size > pieceSize, takesPieces.load(ordering: .relaxed) {
      if let end = try await sendPieces(layer.blob, push, to: location) {
        // The registry compares the digest of what is stored, and we what it unpacks to.
        if let unpacked = layer.unpackedDigest { try await layer.blob.check(unpacked: unpacked) }
        try check(await ask(.PUT, Self.adding(content.digest, to: end), for: push.access), push)
        return layer.size
      }
      // All at once, in an upload of its own.
      location = try await begin(push)
    }
    let answer = try await ask(
      .PUT, Self.adding(content.digest, to: location), for: push.access,
      headers: [("Content-Type", "application/octet-stream")], body: content.stream)
    try check(answer, push)
    return content.stream.length
  }

  /// Tells whether the blob has been taken in.
  private func check(_ answer: RegistryClient.Answer, _ push: Push) throws {
    if Self.isUnknownUpload(answer) { throw LostUpload(error: refused(push, answer)) }
    guard answer.status == 201 || answer.status == 204 else { throw refused(push, answer) }
  }

  private func begin(_ push: Push) async throws -> String {
    try location(
      try await ask(.POST, "\(push.repository)/blobs/uploads/", for: push.access), push)
  }

  /// - Returns: Where the upload is to be ended; `nil` when the first piece was not taken.
  private func sendPieces(
    _ blob: Blob, _ push: Push, to start: String
  ) async throws -> String? {
    var location = start
    var position: Int64 = 0
    while position < blob.size {
      let count = min(pieceSize, blob.size - position)
      var piece = ImageStream()
      piece.appendBlob(
        Blob(file: blob.file, offset: blob.offset + position, size: count), expecting: nil,
        isEnd: position + count == blob.size)
      let answer: RegistryClient.Answer
      do {
        answer = try await client.send(
          .PATCH, location, for: push.access,
          headers: [
            ("Content-Type", "application/octet-stream"),
            ("Content-Range", "\(position)-\(position + count - 1)"),
          ], body: piece)
      } catch let error as RuntimeError where error.kind == .unreachable && !error.isSilence {
        // It may have arrived or not: nobody adds the same piece twice.
        throw LostUpload(error: error)
      }
      guard answer.status == 202 || answer.status == 204 else {
        if position > 0, Self.isUnknownUpload(answer) {
          throw LostUpload(error: refused(push, answer))
        }
        guard position == 0, Self.meansNoPieces(answer.status) else {
          throw refused(push, answer)
        }
        if [403, 405, 501].contains(answer.status) { takesPieces.store(false, ordering: .relaxed) }
        return nil
      }
      location = try self.location(answer, push)
      position += count
    }
    return location
  }

  /// A blob that is too large in pieces is too large at once; any other refusal is worth a try.
  private static func meansNoPieces(_ status: Int) -> Bool {
    (400..<500).contains(status) && status != 413 || status == 501
  }

  /// A registry that was started anew may know nothing of an upload that it has begun.
  private static func isUnknownUpload(_ answer: RegistryClient.Answer) -> Bool {
    answer.status == 404 || answer.status == 416
      || answer.status == 400 && RegistryClient.message(answer).hasPrefix("BLOB_UPLOAD_")
  }

  private func location(_ answer: RegistryClient.Answer, _ push: Push) throws -> String {
    guard (200..<300).contains(answer.status), let location = answer.location else {
      throw refused(push, answer)
    }
    return location
  }

  private static func adding(_ digest: Digest, to location: String) -> String {
    "\(location)\(location.contains("?") ? "&" : "?")digest=\(digest)"
  }
}
