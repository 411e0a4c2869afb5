package import SystemPackage

/// One image, as a build left it: configuration read, layers located, nothing of them read.
///
/// From a docker-archive tar, an OCI-layout tar, or an OCI-layout directory; a tar that is both is
/// read by its `manifest.json`. All files are opened by `open` and read only through their
/// descriptors, so the next build may replace them meanwhile. The manifest names members, never
/// files: no path in it is opened.
package struct ImageArchive: Sendable {
  package let path: FilePath
  /// The image's configuration, byte for byte.
  package let config: [UInt8]
  /// The SHA-256 of the configuration: Docker's image ID.
  package let configDigest: Digest
  /// From the bottom up.
  package let layers: [ImageLayer]
  /// The names inside the archive.
  package let tags: [ImageReference]
  /// The OCI manifest, where the archive has one that describes exactly these layers.
  package let manifest: ImageManifest?

  /// Opens an archive and reads its headers and JSON; takes well under a millisecond.
  ///
  /// - Throws: `ImageArchiveError`, which says file, member and reason.
  package static func open(_ path: FilePath) throws(ImageArchiveError) -> ImageArchive {
    let opened: ArchiveFile.Opened
    do throws(Errno) {
      opened = try ArchiveFile.open(path)
    } catch {
      throw ImageArchiveError(path: path, reason: .unreadable(error))
    }
    let members: ArchiveMembers
    switch opened {
    case .file(let file): members = ArchiveMembers(path: path, .tar(try TarIndex(file)))
    case .directory: members = ArchiveMembers(path: path, .directory)
    case .other: throw ImageArchiveError(path: path, reason: .notAFile)
    }
    if let manifest = try members.find(DockerArchive.manifestName) {
      return try DockerArchive.read(manifest, members)
    }
    if let index = try members.find(OCILayout.indexName) {
      return try OCILayout.read(index, members)
    }
    throw ImageArchiveError(path: path, reason: .noManifest)
  }
}

/// One layer of an image, where it lies.
package struct ImageLayer: Sendable {
  /// The digest of the uncompressed tar, as the configuration says: what runtimes know it by.
  package let diffID: Digest
  /// The digest of the stored bytes, where it is known without reading them. Verified when they are
  /// sent.
  package let digest: Digest?
  /// What the stored bytes begin like; this, not the media type, is what runtimes go by.
  package let compression: Compression
  package let blob: Blob

  /// Of the stored bytes.
  package var size: Int64 { blob.size }

  package enum Compression: Hashable, Sendable { case none, gzip, zstd }
}

/// An OCI or Docker manifest, byte for byte.
package struct ImageManifest: Hashable, Sendable {
  package let bytes: [UInt8]
  package let digest: Digest
  package let mediaType: String
}

extension ImageLayer {
  /// - Throws: `ImageArchiveError` when the layer's first bytes can't be read or are of a
  ///   compression that no runtime knows.
  init(diffID: Digest, digest: Digest?, blob: Blob, member: String) throws(ImageArchiveError) {
    let start = try blob.read(at: 0, count: Int(min(6, blob.size)))
    switch TarReader.compression(of: start) {
    case nil: compression = .none
    case "gzip": compression = .gzip
    case "zstd": compression = .zstd
    case let other?:
      throw ImageArchiveError(
        path: blob.file.path, member: member, reason: .unsupportedMediaType("\(other) layer"))
    }
    self.diffID = diffID
    // An uncompressed layer is its own diff.
    self.digest = compression == .none ? diffID : digest
    self.blob = blob
  }
}
