package import SystemPackage

/// One image, as a build left it: configuration read, layers located, nothing of them read.
///
/// From a docker-archive tar, an OCI-layout tar, or an OCI-layout directory; a tar that is both is
/// read by its `manifest.json`. All files are opened by `open` and read only through their
/// descriptors, so the next build may replace them meanwhile, or break the links that lead to them.
/// The manifest names members, never files: no path in it is opened.
package struct ImageArchive: Sendable {
  package let path: FilePath
  /// The image's configuration, byte for byte.
  package let config: [UInt8]
  /// The SHA-256 of the configuration: Docker's image ID.
  package let configDigest: Digest
  /// From the bottom up.
  package internal(set) var layers: [ImageLayer]
  /// The names inside the archive.
  package internal(set) var tags: [ImageReference]
  /// Names inside the archive that no runtime accepts, such as one with capital letters.
  package internal(set) var unusableNames: [String] = []
  /// The OCI manifest, where the archive has one that describes exactly these layers.
  package let manifest: ImageManifest?

  /// Opens an archive and reads its headers and JSON; takes well under a millisecond.
  ///
  /// - Returns: The first image for this machine.
  /// - Throws: `ImageArchiveError`, which says file, member and reason.
  package static func open(
    _ path: FilePath, supply: LayerSupply = LayerSupply()
  ) throws(ImageArchiveError) -> ImageArchive {
    let images = try openAll(path, supply: supply)
    guard let image = images.first(where: { $0.platform == .host }) ?? images.first else {
      throw ImageArchiveError(path: path, reason: .emptyManifest)
    }
    return image
  }

  /// Opens all images of an archive that are meant for this machine, each with all its names.
  ///
  /// - Parameters:
  ///   - path: A tar, also one that is compressed as a whole by gzip, or the directory of an OCI layout.
  ///   - supply: Where layers are that a layout of rules_img leaves out.
  /// - Returns: At least one image. Images of one name for other machines are left out.
  /// - Throws: `ImageArchiveError`, which says file, member and reason.
  package static func openAll(
    _ path: FilePath, supply: LayerSupply = LayerSupply()
  ) throws(ImageArchiveError) -> [ImageArchive] {
    let opened: ArchiveFile.Opened
    do throws(Errno) {
      opened = try ArchiveFile.open(path)
    } catch {
      let link = error == .noSuchFileOrDirectory ? DanglingLink(at: path) : nil
      throw ImageArchiveError(
        path: path, reason: link.map { .danglingLink(target: $0.target) } ?? .unreadable(error))
    }
    let members: ArchiveMembers
    switch opened {
    case .file(let file):
      members = ArchiveMembers(path: path, .tar(try TarIndex(unpacking: file)), supply: supply)
    case .directory: members = ArchiveMembers(path: path, .directory, supply: supply)
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

/// An OCI or Docker manifest, byte for byte.
package struct ImageManifest: Hashable, Sendable {
  package let bytes: [UInt8]
  package let digest: Digest
  package let mediaType: String
}
