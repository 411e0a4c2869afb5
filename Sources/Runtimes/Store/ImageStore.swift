import Basics
package import Images
package import SystemPackage

/// Images in a directory of our own, an OCI image layout: for machines without a container engine.
///
/// Readable by `skopeo` and `podman` as `oci:DIR:NAME:TAG`. Blobs are named by their digest and
/// written once; every new one is hashed on its way. Several processes may load into one directory.
/// Source: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
package struct ImageStore: ImageRuntime {
  package let name: String
  package let directory: FilePath

  /// - Parameter directory: Made when the first image is loaded, with all above it.
  package init(_ directory: FilePath) {
    self.directory = directory
    name = "oci:\(directory)"
  }

  /// A directory is there or it can be made; what is wrong with it is told by loading.
  package func isAvailable() async -> Bool { true }

  @concurrent package func load(
    _ archive: ImageArchive, as references: [ImageReference]
  ) async throws -> LoadResult {
    let store = StoreDirectory(path: directory)
    do {
      try await store.prepare()
      if let digest = try await held(archive, as: references, in: store) {
        return LoadResult(
          isChanged: false, id: digest, bytesSent: 0, layersSent: 0,
          layersTotal: archive.layers.count)
      }
      // What was there may be pruned while the rest is written; then it is written the next time.
      for _ in 0..<3 {
        if let result = try await write(archive, as: references, to: store) { return result }
      }
      throw StoreError.disturbed
    } catch let error as ImageArchiveError {
      throw error
    } catch let error as CancellationError {
      throw error
    } catch {
      throw explain(error, archive)
    }
  }

  package var lossNotice: LossNotice { .looks }

  /// Reads index and manifests, and looks whether the files of all blobs are there.
  @concurrent package func losses(
    among held: [ImageReference: Digest]
  ) async throws -> [ImageReference: ImageLoss] {
    let store = StoreDirectory(path: directory)
    // One that can't be read is damaged, and written anew or told of by the next load.
    let index = (try? index(of: store)) ?? StoreIndex()
    var losses: [ImageReference: ImageLoss] = [:]
    for (reference, digest) in held {
      let entry = index.manifest(named: reference)
      if let entry, entry.digest != digest {
        losses[reference] = .replaced
      } else if try entry == nil || whole(digest, in: store) == nil {
        losses[reference] = .removed
      }
    }
    return losses
  }

  /// The manifest of that digest, where all that it refers to is there.
  private func whole(
    _ digest: Digest, in store: StoreDirectory
  ) throws -> OCILayout.Manifest? {
    guard let bytes = try store.read(OCILayout.blobName(digest)), Digest(of: bytes) == digest else {
      return nil
    }
    let manifest: OCILayout.Manifest
    do throws(JSON.Malformed) {
      manifest = try JSON.decode(OCILayout.Manifest.self, from: bytes)
    } catch {
      return nil
    }
    for blob in [manifest.config] + (manifest.layers ?? []) {
      guard let digest = Digest(blob.digest), try store.contains(digest, size: blob.size) else {
        return nil
      }
    }
    return manifest
  }

  /// The digest that the names stand for, where it is this image and all of it is there.
  private func held(
    _ archive: ImageArchive, as references: [ImageReference], in store: StoreDirectory
  ) async throws -> Digest? {
    let index = try index(of: store)
    let digests = Set(references.map { index.manifest(named: $0)?.digest })
    guard digests.count == 1, case let digest?? = digests.first,
      archive.manifest.map({ $0.digest == digest }) ?? true,
      try whole(digest, in: store)?.config.digest == archive.configDigest.description,
      // Of equal configurations one may stand over layers that are not what it says.
      try await LayoutImage(archive).manifest.digest == digest
    else { return nil }
    return digest
  }

  private func write(
    _ archive: ImageArchive, as references: [ImageReference], to store: StoreDirectory
  ) async throws -> LoadResult? {
    var bytes: Int64 = 0
    var written = 0
    var digests: [Digest] = []
    for layer in archive.layers {
      if let digest = layer.digest, try store.contains(digest, size: layer.size) {
        digests.append(digest)
      } else {
        let layer = try await layer.fetched(for: archive)
        digests.append(
          try store.add(layer.blob, expecting: layer.digest, unpacked: layer.unpackedDigest))
        bytes += layer.size
        written += 1
      }
    }
    let manifest = archive.manifest ?? ImageManifest(of: archive, layers: digests)
    for (digest, content) in [
      (archive.configDigest, archive.config), (manifest.digest, manifest.bytes),
    ] where try !store.contains(digest, size: Int64(content.count)) {
      try store.replace(OCILayout.blobName(digest), with: content)
      bytes += Int64(content.count)
    }
    // Last, so that the name never stands for an image that is not all there.
    let replaced: [ImageReference: Digest]? = try await store.locked {
      for (layer, digest) in zip(archive.layers, digests) {
        guard try store.contains(digest, size: layer.size) else { return nil }
      }
      for (digest, content) in [
        (archive.configDigest, archive.config), (manifest.digest, manifest.bytes),
      ] {
        guard try store.contains(digest, size: Int64(content.count)) else { return nil }
      }
      var index = try index(of: store)
      var replaced: [ImageReference: Digest] = [:]
      for reference in references {
        replaced[reference] = index.manifest(named: reference)?.digest
      }
      for reference in references { index.set(reference, to: manifest) }
      try store.replace(OCILayout.indexName, with: index.bytes)
      bytes += Int64(index.bytes.count)
      return replaced
    }
    guard let replaced else { return nil }
    var result = LoadResult(
      isChanged: true, id: manifest.digest, bytesSent: bytes, layersSent: written,
      layersTotal: archive.layers.count)
    result.replaced = replaced.filter { $0.value != manifest.digest }
    return result
  }

  /// Removes the manifest, and what neither the index nor an image that is kept refers to.
  @concurrent package func remove(
    _ image: SupersededImage, keeping kept: Set<Digest>, isDryRun: Bool
  ) async throws -> Removal {
    let store = StoreDirectory(path: directory)
    guard try store.read(OCILayout.layoutName) != nil else { return .absent }
    return try await store.locked {
      let named = try index(of: store).digests
      if named.contains(image.id) { return .kept("it is in the index") }
      let doomed = try contents(of: image.id, in: store)
      if doomed.isEmpty { return .absent }
      if isDryRun { return .removed }
      var used: Set<Digest> = []
      for other in named.union(kept) { used.formUnion(try contents(of: other, in: store)) }
      // The manifest last: as long as it is there, a run that was cut short can be taken up again.
      for digest in doomed.subtracting(used).subtracting([image.id]) { try store.remove(digest) }
      try store.remove(image.id)
      return .removed
    }
  }

  /// A manifest or index, and all that it refers to; nothing where it is not there.
  private func contents(of digest: Digest, in store: StoreDirectory) throws -> Set<Digest> {
    guard let bytes = try store.read(OCILayout.blobName(digest)) else { return [] }
    var found: Set<Digest> = [digest]
    // What is no JSON refers to nothing.
    guard let json = try? JSON.decode(JSON.self, from: bytes) else { return found }
    var direct: [JSON] = json["layers"]?.array ?? []
    if let config = json["config"] { direct.append(config) }
    for entry in direct {
      if let blob = Self.digest(entry) { found.insert(blob) }
    }
    let nested: [JSON] = json["manifests"]?.array ?? []
    for entry in nested {
      // An index can't hold its own digest, so this ends.
      if let inner = Self.digest(entry) { found.formUnion(try contents(of: inner, in: store)) }
    }
    return found
  }

  private static func digest(_ descriptor: JSON) -> Digest? {
    guard let text = descriptor["digest"]?.string else { return nil }
    return Digest(text)
  }

  private func index(of store: StoreDirectory) throws -> StoreIndex {
    guard let bytes = try store.read(OCILayout.indexName) else { return StoreIndex() }
    do throws(JSON.Malformed) {
      return try StoreIndex(bytes)
    } catch {
      throw StoreError.damagedIndex(error.description)
    }
  }

  private func explain(_ error: any Error, _ archive: ImageArchive) -> any Error {
    switch error {
    case StoreError.occupied:
      RuntimeError(
        runtime: name, kind: .storage,
        message: "\(directory) is not empty and holds no OCI image layout",
        hint: "name an empty or a new directory")
    case StoreError.damagedIndex(let reason):
      RuntimeError(
        runtime: name, kind: .storage,
        message: "\(directory)/\(OCILayout.indexName) is damaged: \(reason)",
        hint: "move it away, and the images are loaded anew")
    case StoreError.digest(let expected, let actual):
      ImageArchiveError(
        path: archive.path, member: "layer \(expected)",
        reason: .digestMismatch(expected: expected, actual: actual))
    case let timeout as LockTimeout:
      RuntimeError(runtime: name, kind: .storage, message: "\(timeout)")
    case let errno as Errno:
      RuntimeError(
        runtime: name, kind: .storage, message: "can't write images to \(directory): \(errno)",
        hint: errno == .noSpace ? "free some space" : "check its owner and permissions")
    default:
      RuntimeError(
        runtime: name, kind: .storage, message: "can't write images to \(directory): \(error)")
    }
  }
}
