import Basics

/// An image under the manifest by which containerd and registries know it.
///
/// A docker-archive has none, so one is made: the same bytes for the same image.
package struct LayoutImage: Sendable {
  package let archive: ImageArchive
  package let manifest: ImageManifest
  /// Digests of the layers' stored bytes, from the bottom up.
  package let digests: [Digest]

  /// The kind of manifest that an image is to have.
  package enum ManifestChoice: Sendable {
    /// The build's own, where it made one: what is pushed is what was built.
    case original
    /// The build's own, unless it has layers of a media type that containerd does not unpack.
    case accepted
    /// One that we make of configuration and layers alone, so that an image is the same by its tar and by its
    /// layout: for docker, which shows it as the image's ID.
    case ours
  }

  /// - Throws: `ImageArchiveError` when a compressed layer has to be hashed and can't be read;
  ///   `CancellationError`.
  @concurrent package init(
    _ archive: ImageArchive, manifest choice: ManifestChoice = .original
  ) async throws {
    var digests: [Digest] = []
    for layer in archive.layers {
      if let digest = layer.digest {
        digests.append(digest)
      } else {
        digests.append(try await layer.blob.digest())
      }
    }
    self.archive = archive
    self.digests = digests
    let original: ImageManifest? =
      switch choice {
      case .original: archive.manifest
      case .accepted: archive.manifest.flatMap { $0.isUnpackedByContainerd ? $0 : nil }
      case .ours: nil
      }
    manifest = original ?? ImageManifest(of: archive, layers: digests)
  }

  private init(_ archive: ImageArchive, _ manifest: ImageManifest, _ digests: [Digest]) {
    self.archive = archive
    self.manifest = manifest
    self.digests = digests
  }

  /// The image with the layers here that are not known.
  package func fetching(omitting known: Set<Digest>) async throws -> LayoutImage {
    let archive = try await archive.fetching { layer in
      layer.digest.map { !known.contains($0) } ?? true
    }
    return LayoutImage(archive, manifest, digests)
  }
}

/// Images as one OCI-layout tar, of which blobs may be left out that the receiver has.
///
/// For Docker's containerd image store, which knows an image by its manifest, not by its
/// configuration, and which would make a manifest of its own out of a docker-archive; and for
/// containerd itself. Layers that the images share are in it once.
package struct LayoutArchive: Sendable {
  package struct Entry: Sendable {
    package var image: LayoutImage
    /// The name as people write it, and the full one that containerd is to store.
    package var name: String
    package var normalizedName: String
    /// The progress of the load that brings it.
    package var progress: LoadProgress?

    package init(_ image: LayoutImage, as reference: ImageReference) {
      self.image = image
      progress = .current
      name = reference.description
      normalizedName = reference.normalized
    }
  }

  /// The part of the tar that is one image's: layers shared with one before it count there.
  package struct Share: Hashable, Sendable {
    package var bytes: Int64 = 0
    package var layers = 0
  }

  package let stream: ImageStream
  /// In the order of the images.
  package let shares: [Share]

  /// - Parameter known: Digests of blobs that the receiver has.
  package init(_ entries: [Entry], omitting known: Set<Digest> = []) {
    let index = OCILayout.Index(
      mediaType: OCILayout.MediaType.index,
      manifests: entries.map { entry in
        OCILayout.Descriptor(
          mediaType: entry.image.manifest.mediaType,
          digest: entry.image.manifest.digest.description,
          size: Int64(entry.image.manifest.bytes.count),
          annotations: [
            OCILayout.referenceKey: entry.name, OCILayout.imageNameKey: entry.normalizedName,
          ])
      })
    var stream = ImageStream(telling: entries.compactMap(\.progress))
    stream.appendMember(OCILayout.layoutName, OCILayout.layout)
    stream.appendMember(OCILayout.indexName, JSON.encode(index))
    var sent = known
    var shares: [Share] = []
    var start: Int64 = 0
    for entry in entries {
      let (image, archive) = (entry.image, entry.image.archive)
      var share = Share()
      for (digest, content) in [
        (image.manifest.digest, image.manifest.bytes), (archive.configDigest, archive.config),
      ] where sent.insert(digest).inserted {
        stream.appendMember(OCILayout.blobName(digest), content)
      }
      for (layer, digest) in zip(archive.layers, image.digests) where sent.insert(digest).inserted {
        stream.appendMember(OCILayout.blobName(digest), layer.blob, expecting: digest)
        share.layers += 1
      }
      share.bytes = stream.length - start
      start = stream.length
      shares.append(share)
    }
    stream.appendEnd()
    if !shares.isEmpty { shares[shares.count - 1].bytes += stream.length - start }
    self.stream = stream
    self.shares = shares
  }
}

extension ImageManifest {
  /// Containerd unpacks all its layers by their media types: docker's zstd is none of them.
  ///
  /// Source: https://github.com/containerd/containerd/blob/v1.6.20/images/mediatypes.go
  fileprivate var isUnpackedByContainerd: Bool {
    // It was decoded when the archive was opened.
    guard let content = try? JSON.decode(OCILayout.Manifest.self, from: bytes) else { return false }
    return (content.layers ?? []).allSatisfy { layer in
      layer.mediaType.map(OCILayout.MediaType.unpackedByContainerd.contains) ?? false
    }
  }

  init(bytes: [UInt8], mediaType: String) {
    self.init(bytes: bytes, digest: Digest(of: bytes), mediaType: mediaType)
  }

  /// A manifest for an archive that has none: the same bytes for the same image.
  ///
  /// The digests are those of the stored bytes, from the bottom up.
  package init(of archive: ImageArchive, layers digests: [Digest]) {
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
