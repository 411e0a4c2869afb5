import Crypto

/// A whole image as an OCI-layout tar under a manifest whose digest we know.
///
/// For Docker's containerd image store, which knows an image by its manifest, not by its
/// configuration, and which would make a manifest of its own out of a docker-archive.
package struct LayoutArchive: Sendable {
  package let stream: ImageStream
  package let manifest: ImageManifest
  package let layersSent: Int

  /// - Throws: `ImageArchiveError` when a compressed layer has to be hashed and can't be read;
  ///   `CancellationError`.
  @concurrent package init(_ archive: ImageArchive, as reference: ImageReference) async throws {
    var digests: [Digest] = []
    for layer in archive.layers {
      if let digest = layer.digest {
        digests.append(digest)
      } else {
        digests.append(try await layer.blob.digest())
      }
    }
    let manifest = archive.manifest ?? ImageManifest(of: archive, layers: digests)
    let index = OCILayout.Index(
      mediaType: OCILayout.MediaType.index,
      manifests: [OCILayout.Descriptor(manifest, named: reference)])
    var stream = ImageStream()
    stream.appendMember(OCILayout.layoutName, OCILayout.layout)
    stream.appendMember(OCILayout.indexName, JSON.encode(index))
    stream.appendMember(OCILayout.blobName(manifest.digest), manifest.bytes)
    stream.appendMember(OCILayout.blobName(archive.configDigest), archive.config)
    var sent: Set<Digest> = []
    for (layer, digest) in zip(archive.layers, digests) where sent.insert(digest).inserted {
      stream.appendMember(OCILayout.blobName(digest), layer.blob)
    }
    stream.appendEnd()
    self.stream = stream
    self.manifest = manifest
    layersSent = sent.count
  }
}

extension Blob {
  /// The SHA-256 of the content, read in pieces.
  @concurrent func digest() async throws -> Digest {
    var hash = SHA256()
    var position: Int64 = 0
    while position < size {
      try Task.checkCancellation()
      let count = Int(min(Int64(ImageStream.chunkSize), size - position))
      hash.update(data: try read(at: position, count: count))
      position += Int64(count)
    }
    return Digest(finished: hash.finalize())
  }
}

extension ImageManifest {
  init(bytes: [UInt8], mediaType: String) {
    self.init(bytes: bytes, digest: Digest(of: bytes), mediaType: mediaType)
  }

  /// A manifest for an archive that has none: the same bytes for the same image.
  ///
  /// - Parameter layers: The digests of the stored bytes, from the bottom up.
  init(of archive: ImageArchive, layers digests: [Digest]) {
    let manifest = OCILayout.Manifest(
      mediaType: OCILayout.MediaType.manifest,
      config: OCILayout.Descriptor(
        mediaType: OCILayout.MediaType.config, digest: archive.configDigest.description,
        size: Int64(archive.config.count)),
      layers: zip(archive.layers, digests).map { layer, digest in
        OCILayout.Descriptor(
          mediaType: layer.mediaType, digest: digest.description, size: layer.size)
      })
    self.init(bytes: JSON.encode(manifest), mediaType: OCILayout.MediaType.manifest)
  }
}

extension ImageLayer {
  var mediaType: String {
    switch compression {
    case .none: OCILayout.MediaType.layer
    case .gzip: "\(OCILayout.MediaType.layer)+gzip"
    case .zstd: "\(OCILayout.MediaType.layer)+zstd"
    }
  }
}

extension OCILayout.Descriptor {
  init(_ manifest: ImageManifest, named reference: ImageReference) {
    self.init(
      mediaType: manifest.mediaType, digest: manifest.digest.description,
      size: Int64(manifest.bytes.count),
      annotations: [
        OCILayout.referenceKey: reference.description,
        OCILayout.imageNameKey: reference.normalized,
      ])
  }
}
