import Basics
package import Images
import NIOHTTP1
package import Processes
import Synchronization
package import SystemPackage

/// A registry: blobs that its repository lacks are sent, then the manifest under the tag.
///
/// The name's own registry is left out: `registry.local/team/api:dev` becomes `HOST/PREFIX/team/api:dev`.
/// The registry checks every digest, and takes no manifest of which a blob is missing.
package final class Registry: ImageRuntime {
  package let name: String
  private let address: RegistryAddress
  let client: RegistryClient
  private let underway = LayersUnderway()
  /// A repository that has the blob, from which it can be mounted into another.
  private let placed = Mutex<[Digest: String]>([:])
  private let clock: any Clock<Duration>

  /// Larger blobs go in pieces of this size, in bytes.
  let pieceSize: Int64
  /// `false` when it has said that it takes no pieces at all.
  let takesPieces = Atomic<Bool>(true)
  private static let manifestTypes = [
    OCILayout.MediaType.manifest, OCILayout.MediaType.index, OCILayout.MediaType.dockerManifest,
    OCILayout.MediaType.dockerManifestList,
  ].joined(separator: ", ")

  /// - Parameters:
  ///   - environment: Says where logins are kept.
  ///   - certificates: Directories in which `HOST` is a directory of certificates.
  ///   - patience: How long it may say nothing.
  ///   - helperPatience: How long a credential helper may take.
  package init(
    _ address: RegistryAddress, environment: [String: String], certificates: [FilePath],
    runner: any CommandRunner, pieceSize: Int64 = 32 << 20, patience: Duration = .seconds(300),
    helperPatience: Duration = .seconds(60), clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.address = address
    name = "registry:\(address)"
    self.pieceSize = pieceSize
    self.clock = clock
    client = RegistryClient(
      address,
      credentials: RegistryCredentials(
        files: RegistryCredentials.files(environment), runner: runner, patience: helperPatience,
        clock: clock),
      certificates: RegistryCertificates(certificates, host: address.host), patience: patience,
      clock: clock)
  }

  /// Closes its connections. To be called once, when no load is under way.
  package func shutdown() async { await client.shutdown() }

  package func isAvailable() async -> Bool {
    do {
      _ = try await client.send(.GET, "", for: RegistryAccess())
      return true
    } catch let error as RuntimeError {
      // One that asks for a login is there.
      return error.kind == .refused
    } catch {
      return false
    }
  }

  package func load(
    _ archive: ImageArchive, as references: [ImageReference]
  ) async throws -> LoadResult {
    let image = try await LayoutImage(archive)
    var lacking: [Push] = []
    var names: Set<String> = []
    for reference in references {
      let push = Push(
        image: image, reference: reference, repository: address.repository(of: reference))
      // Names that differ by the registry alone are one here.
      guard names.insert(push.name(at: address)).inserted else { continue }
      if try await tagged(push) != image.manifest.digest { lacking.append(push) }
    }
    var sum: (bytes: Int64, layers: Int) = (0, 0)
    func add(_ sent: (bytes: Int64, layers: Int)) {
      sum = (sum.bytes + sent.bytes, max(sum.layers, sent.layers))
    }
    // The first brings the blobs, from which the registry takes them for other repositories.
    var repositories: Set<String> = []
    for push in lacking where repositories.insert(push.repository).inserted {
      add(try await sendBlobs(push))
    }
    for push in lacking { add(try await name(push)) }
    return LoadResult(
      isChanged: !lacking.isEmpty, id: image.manifest.digest, bytesSent: sum.bytes,
      layersSent: sum.layers, layersTotal: archive.layers.count)
  }

  /// Puts the manifest under the name, when all blobs are there.
  private func name(_ push: Push) async throws -> (bytes: Int64, layers: Int) {
    let manifest = push.image.manifest
    var sent: (bytes: Int64, layers: Int) = (Int64(manifest.bytes.count), 0)
    var answer = try await putManifest(push)
    if answer.status == 400 || answer.status == 404 {
      // A blob may have been deleted between our question and now.
      placed.withLock { $0.removeAll() }
      let more = try await sendBlobs(push)
      sent = (sent.bytes + more.bytes, more.layers)
      answer = try await putManifest(push)
    }
    guard answer.status == 201 || answer.status == 200 else { throw refused(push, answer) }
    let found = try await tagged(push)
    guard found == manifest.digest else {
      throw RuntimeError(
        runtime: name, kind: .mismatch,
        message: "\(push.name(at: address)): the registry accepted \(manifest.digest) but "
          + "holds \(found.map(\.description) ?? "no such image")",
        hint: "does something else push it?")
    }
    return sent
  }

  /// Asks again where a proxy, or a registry that is being started anew, got in the way: four times in
  /// four seconds.
  ///
  /// The same question may be asked twice: the registry checks every digest, and takes nothing for an
  /// upload that it has ended. One that has never answered is told of at once, and so is silence: waiting
  /// for it was patience enough.
  func ask(
    _ method: HTTPMethod, _ path: String, for access: RegistryAccess,
    headers: [(String, String)] = [], body: ImageStream? = nil
  ) async throws -> RegistryClient.Answer {
    var backoff = Backoff(from: .milliseconds(500), to: .seconds(2))
    for _ in 0..<3 {
      do {
        return try await client.send(method, path, for: access, headers: headers, body: body)
      } catch let error as RuntimeError
        where error.kind == .unreachable && client.hasAnswered && !error.isSilence
      {
        try await clock.pause(for: backoff.next())
      }
    }
    return try await client.send(method, path, for: access, headers: headers, body: body)
  }

  /// Asks which manifest the tag stands for.
  private func tagged(_ push: Push) async throws -> Digest? {
    let path = "\(push.repository)/manifests/\(push.reference.tag)"
    let headers = [("Accept", Self.manifestTypes)]
    let answer = try await ask(.HEAD, path, for: push.access, headers: headers)
    switch answer.status {
    case 200:
      if let digest = answer.digest { return digest }
      // The header is one that registries should have; without it, the manifest itself tells.
      let manifest = try await ask(.GET, path, for: push.access, headers: headers)
      guard manifest.status == 200 else { throw refused(push, manifest) }
      return Digest(of: manifest.body)
    case 404: return nil
    default: throw refused(push, answer)
    }
  }

  private func putManifest(_ push: Push) async throws -> RegistryClient.Answer {
    var body = ImageStream()
    body.appendBytes(push.image.manifest.bytes)
    return try await ask(
      .PUT, "\(push.repository)/manifests/\(push.reference.tag)", for: push.access,
      headers: [("Content-Type", push.image.manifest.mediaType)], body: body)
  }

  /// Sends the blobs that the repository lacks, some side by side.
  private func sendBlobs(_ push: Push) async throws -> (bytes: Int64, layers: Int) {
    let archive = push.image.archive
    var contents: [(digest: Digest, layer: ImageLayer?)] = [(archive.configDigest, nil)]
    var seen: Set<Digest> = []
    for (layer, digest) in zip(archive.layers, push.image.digests)
    where seen.insert(digest).inserted {
      contents.append((digest, layer))
    }
    return try await withThrowingTaskGroup(of: (Int64, Int).self) { group in
      var sum: (bytes: Int64, layers: Int) = (0, 0)
      for (index, content) in contents.enumerated() {
        if index >= 4, let (bytes, layers) = try await group.next() {
          sum = (sum.bytes + bytes, sum.layers + layers)
        }
        group.addTask {
          let bytes = try await self.place(content.digest, content.layer, push)
          return (bytes, bytes > 0 && content.layer != nil ? 1 : 0)
        }
      }
      for try await (bytes, layers) in group {
        sum = (sum.bytes + bytes, sum.layers + layers)
      }
      return sum
    }
  }

  /// - Parameter layer: `nil`: the configuration.
  /// - Returns: How many bytes had to be sent.
  private func place(_ digest: Digest, _ layer: ImageLayer?, _ push: Push) async throws -> Int64 {
    if try await has(digest, push) { return 0 }
    // Another load may be bringing it, into this repository or another.
    while !(await underway.enter([digest])) {
      try Task.checkCancellation()
      if try await has(digest, push) { return 0 }
    }
    do {
      let bytes: Int64 =
        switch try await mount(digest, push) {
        case .mounted: 0
        case .begun(let location):
          try await uploadPersistently(content(digest, layer, push), push, at: location)
        case .declined: try await uploadPersistently(content(digest, layer, push), push)
        }
      placed.withLock { $0[digest] = push.repository }
      LoadProgress.current?.keep(bytes)
      await underway.leave([digest])
      return bytes
    } catch {
      await underway.leave([digest])
      throw error
    }
  }

  /// Makes the content to be sent; a layer that is not here is fetched.
  private func content(
    _ digest: Digest, _ layer: ImageLayer?, _ push: Push
  ) async throws -> Content {
    let archive = push.image.archive
    guard let layer else { return Content(digest: digest, bytes: archive.config) }
    return Content(digest: digest, layer: try await layer.fetched(for: archive))
  }

  func has(_ digest: Digest, _ push: Push) async throws -> Bool {
    let answer = try await ask(
      .HEAD, "\(push.repository)/blobs/\(digest)", for: push.access)
    switch answer.status {
    case 200:
      placed.withLock { $0[digest] = push.repository }
      return true
    case 404: return false
    default: throw refused(push, answer)
    }
  }

  private enum Mount {
    case mounted
    /// It would rather have the blob sent, and here.
    case begun(String)
    case declined
  }

  /// Asks the registry to take the blob from another of its repositories.
  private func mount(_ digest: Digest, _ push: Push) async throws -> Mount {
    guard let source = placed.withLock({ $0[digest] }), source != push.repository else {
      return .declined
    }
    do {
      let answer = try await ask(
        .POST, "\(push.repository)/blobs/uploads/?mount=\(digest)&from=\(source)",
        for: RegistryAccess(repository: push.repository, source: source))
      switch answer.status {
      case 201: return .mounted
      case 202: return answer.location.map { .begun($0) } ?? .declined
      default: return .declined
      }
    } catch let error as RuntimeError where error.kind == .refused {
      // We may not read there, though we have written.
      return .declined
    }
  }

  func refused(_ push: Push, _ answer: RegistryClient.Answer) -> RuntimeError {
    let hint: String? =
      switch answer.status {
      case 401, 403: "log in: docker login \(address.host)"
      case 413:
        "raise the limit for bodies of what stands before the registry "
          + "(nginx: client_max_body_size 0)"
      case 507: "make room on the registry's disk"
      default: nil
      }
    return RuntimeError(
      runtime: name, kind: .refused,
      message: "\(push.name(at: address)): the registry refused the image: "
        + RegistryClient.message(answer), hint: hint)
  }
}
