import NIOHTTP1
import Synchronization
package import SystemPackage

/// A registry: blobs that its repository lacks are sent, then the manifest under the tag.
///
/// The name's own registry is left out: `registry.local/team/api:dev` becomes `HOST/PREFIX/team/api:dev`.
/// The registry checks every digest, and takes no manifest of which a blob is missing.
package final class Registry: ImageRuntime {
  package let name: String
  private let address: RegistryAddress
  private let client: RegistryClient
  private let underway = LayersUnderway()
  /// A repository that has the blob, from which it can be mounted into another.
  private let placed = Mutex<[Digest: String]>([:])

  /// Larger blobs go in pieces of this size, in bytes.
  private let pieceSize: Int64
  private static let manifestTypes = [
    OCILayout.MediaType.manifest, OCILayout.MediaType.index, OCILayout.MediaType.dockerManifest,
    OCILayout.MediaType.dockerManifestList,
  ].joined(separator: ", ")

  /// - Parameters:
  ///   - environment: Says where logins are kept.
  ///   - certificates: Directories in which `HOST` is a directory of CA certificates.
  package init(
    _ address: RegistryAddress, environment: [String: String], certificates: [FilePath],
    runner: any CommandRunner, pieceSize: Int64 = 32 << 20
  ) {
    self.address = address
    name = "registry:\(address)"
    self.pieceSize = pieceSize
    client = RegistryClient(
      address,
      credentials: RegistryCredentials(
        files: RegistryCredentials.files(environment), runner: runner),
      certificates: certificates)
  }

  /// Closes its connections. To be called once, when no load is under way.
  package func shutdown() async { await client.shutdown() }

  package func isAvailable() async -> Bool {
    do {
      _ = try await client.send(.GET, "/v2/", repository: "")
      return true
    } catch let error as RuntimeError {
      // One that asks for a login is there.
      return error.kind == .refused
    } catch {
      return false
    }
  }

  package func load(
    _ archive: ImageArchive, as reference: ImageReference
  ) async throws -> LoadResult {
    let image = try await LayoutImage(archive)
    let push = Push(
      image: image, reference: reference, repository: address.repository(of: reference))
    if try await tagged(push) == image.manifest.digest {
      return push.result(bytes: 0, layers: 0, isChanged: false)
    }
    var sent = try await sendBlobs(push)
    var answer = try await putManifest(push)
    if answer.status == 400 || answer.status == 404 {
      // A blob may have been deleted between our question and now.
      placed.withLock { $0.removeAll() }
      let more = try await sendBlobs(push)
      sent = (sent.bytes + more.bytes, sent.layers + more.layers)
      answer = try await putManifest(push)
    }
    guard answer.status == 201 || answer.status == 200 else { throw refused(push, answer) }
    let found = try await tagged(push)
    guard found == image.manifest.digest else {
      throw RuntimeError(
        runtime: name, kind: .mismatch,
        message: "\(push.name(at: address)): the registry accepted \(image.manifest.digest) but "
          + "holds \(found.map(\.description) ?? "no such image")",
        hint: "does something else push it?")
    }
    let manifestSize = Int64(image.manifest.bytes.count)
    return push.result(bytes: sent.bytes + manifestSize, layers: sent.layers, isChanged: true)
  }

  /// One image on its way.
  private struct Push: Sendable {
    var image: LayoutImage
    var reference: ImageReference
    var repository: String

    func name(at address: RegistryAddress) -> String {
      "\(address.host)/\(repository):\(reference.tag)"
    }

    func result(bytes: Int64, layers: Int, isChanged: Bool) -> LoadResult {
      LoadResult(
        isChanged: isChanged, id: image.manifest.digest, bytesSent: bytes, layersSent: layers,
        layersTotal: image.archive.layers.count)
    }
  }

  private struct Content: Sendable {
    var digest: Digest
    var stream: ImageStream
    /// `nil`: the configuration.
    var layer: ImageLayer?
  }

  /// What the tag stands for.
  private func tagged(_ push: Push) async throws -> Digest? {
    let answer = try await client.send(
      .HEAD, "\(push.repository)/manifests/\(push.reference.tag)", repository: push.repository,
      headers: [("Accept", Self.manifestTypes)])
    switch answer.status {
    case 200: return answer.digest
    case 404: return nil
    default: throw refused(push, answer)
    }
  }

  private func putManifest(_ push: Push) async throws -> RegistryClient.Answer {
    var body = ImageStream()
    body.appendBytes(push.image.manifest.bytes)
    return try await client.send(
      .PUT, "\(push.repository)/manifests/\(push.reference.tag)", repository: push.repository,
      headers: [("Content-Type", push.image.manifest.mediaType)], body: body)
  }

  /// Sends the blobs that the repository lacks, some side by side.
  private func sendBlobs(_ push: Push) async throws -> (bytes: Int64, layers: Int) {
    var contents: [Content] = []
    var seen: Set<Digest> = []
    var config = ImageStream()
    config.appendBytes(push.image.archive.config)
    contents.append(
      Content(digest: push.image.archive.configDigest, stream: config, layer: nil))
    for (layer, digest) in zip(push.image.archive.layers, push.image.digests)
    where seen.insert(digest).inserted {
      var stream = ImageStream()
      stream.appendBlob(layer.blob, expecting: digest)
      contents.append(Content(digest: digest, stream: stream, layer: layer))
    }
    return try await withThrowingTaskGroup(of: (Int64, Int).self) { group in
      var sum: (bytes: Int64, layers: Int) = (0, 0)
      for (index, content) in contents.enumerated() {
        if index >= 4, let (bytes, layers) = try await group.next() {
          sum = (sum.bytes + bytes, sum.layers + layers)
        }
        group.addTask {
          let bytes = try await self.place(content, push)
          return (bytes, bytes > 0 && content.layer != nil ? 1 : 0)
        }
      }
      for try await (bytes, layers) in group {
        sum = (sum.bytes + bytes, sum.layers + layers)
      }
      return sum
    }
  }

  /// - Returns: How many bytes had to be sent.
  private func place(_ content: Content, _ push: Push) async throws -> Int64 {
    let answer = try await client.send(
      .HEAD, "\(push.repository)/blobs/\(content.digest)", repository: push.repository)
    switch answer.status {
    case 200:
      placed.withLock { $0[content.digest] = push.repository }
      return 0
    case 404: break
    default: throw refused(push, answer)
    }
    // Another load may be bringing it into another repository.
    while !(await underway.enter([content.digest])) { try Task.checkCancellation() }
    do {
      let bytes = try await upload(content, push)
      placed.withLock { $0[content.digest] = push.repository }
      await underway.leave([content.digest])
      return bytes
    } catch {
      await underway.leave([content.digest])
      throw error
    }
  }

  private func upload(_ content: Content, _ push: Push) async throws -> Int64 {
    let source = placed.withLock { $0[content.digest] }
    let mount = source.map { "?mount=\(content.digest)&from=\($0)" } ?? ""
    let answer = try await client.send(
      .POST, "\(push.repository)/blobs/uploads/\(mount)", repository: push.repository)
    if answer.status == 201 { return 0 }
    var location = try location(answer, push)
    if let layer = content.layer, layer.size > pieceSize {
      if let end = try await sendPieces(layer.blob, to: location, push) {
        let answer = try await client.send(
          .PUT, Self.adding(content.digest, to: end), repository: push.repository)
        guard answer.status == 201 || answer.status == 204 else { throw refused(push, answer) }
        return layer.size
      }
      // It takes no pieces: all at once, in a session of its own.
      location = try self.location(
        try await client.send(
          .POST, "\(push.repository)/blobs/uploads/", repository: push.repository), push)
    }
    let done = try await client.send(
      .PUT, Self.adding(content.digest, to: location), repository: push.repository,
      headers: [("Content-Type", "application/octet-stream")], body: content.stream)
    guard done.status == 201 || done.status == 204 else { throw refused(push, done) }
    return content.stream.length
  }

  /// - Returns: Where the upload is to be ended; `nil` when the first piece was not taken.
  private func sendPieces(_ blob: Blob, to start: String, _ push: Push) async throws -> String? {
    var location = start
    var position: Int64 = 0
    while position < blob.size {
      let count = min(pieceSize, blob.size - position)
      var piece = ImageStream()
      piece.appendBlob(
        Blob(file: blob.file, offset: blob.offset + position, size: count), expecting: nil,
        isEnd: position + count == blob.size)
      let answer = try await client.send(
        .PATCH, location, repository: push.repository,
        headers: [
          ("Content-Type", "application/octet-stream"),
          ("Content-Range", "\(position)-\(position + count - 1)"),
        ], body: piece)
      guard answer.status == 202 || answer.status == 204 else {
        if position == 0 { return nil }
        throw refused(push, answer)
      }
      location = try self.location(answer, push)
      position += count
    }
    return location
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

  private func refused(_ push: Push, _ answer: RegistryClient.Answer) -> RuntimeError {
    RuntimeError(
      runtime: name, kind: .refused,
      message: "\(push.name(at: address)): the registry refused the image: "
        + RegistryClient.message(answer),
      hint: answer.status == 403 ? "log in: docker login \(address.host)" : nil)
  }
}
