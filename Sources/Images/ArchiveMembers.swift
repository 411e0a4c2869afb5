import SystemPackage

/// The content of an archive, by name: a tar's members, or the files of an OCI layout directory.
package struct ArchiveMembers {
  enum Container {
    case tar(TarIndex)
    case directory
  }

  /// Bytes of a manifest, an index or a configuration at most. Registries accept 4 MB, containerd 8.
  package static let jsonLimit: Int64 = 8 << 20
  /// More than any image's JSON has.
  private static let valueLimit = 50_000
  /// The text before a value.
  private static let beginnings: [UInt8] = [
    UInt8(ascii: ","), UInt8(ascii: "{"), UInt8(ascii: "["),
  ]

  let path: FilePath
  let supply: LayerSupply
  private let container: Container

  init(path: FilePath, _ container: Container, supply: LayerSupply = LayerSupply()) {
    self.path = path
    self.container = container
    self.supply = supply
  }

  /// A member of a fixed name, or one that a manifest in a tar names.
  ///
  /// In a directory only the layout's own fixed names and blobs are files to be opened.
  func find(_ name: String) throws(ImageArchiveError) -> Blob? {
    switch container {
    case .tar(let index): return try index.find(name)
    case .directory:
      return name == OCILayout.indexName ? try open(path.appending(name), name) : nil
    }
  }

  /// The blob of that digest in an OCI layout.
  func find(_ digest: Digest) throws(ImageArchiveError) -> Blob? {
    let name = OCILayout.blobName(digest)
    return switch container {
    case .tar(let index): try index.find(name)
    case .directory: try open(path.appending(name), name)
    }
  }

  /// The blob of a layer.
  ///
  /// - Returns: `nil` for one that the layout leaves out on purpose: it has a descriptor in its place,
  ///   or somebody knows where the layer can be had.
  func find(layer digest: Digest) throws(ImageArchiveError) -> Blob? {
    if let blob = try find(digest) { return blob }
    let name = OCILayout.blobName(digest)
    let descriptor = name + ".descriptor.json"
    let isLeftOut =
      switch container {
      case .tar(let index): try index.find(descriptor) != nil
      case .directory: try open(path.appending(descriptor), descriptor) != nil
      }
    guard isLeftOut || supply.sources[digest] != nil || !supply.files.isEmpty else {
      throw error(name, .missing)
    }
    return nil
  }

  /// The bytes of a JSON member, of which no honest one is large.
  func read(_ blob: Blob, named name: String) throws(ImageArchiveError) -> [UInt8] {
    guard blob.size <= Self.jsonLimit else {
      throw error(name, .tooLarge(blob.size, limit: Self.jsonLimit))
    }
    let bytes = try blob.read(at: 0, count: Int(blob.size))
    // Each value costs its decoder hundreds of bytes: eight megabytes of the smallest would be gigabytes.
    let values = bytes.count { Self.beginnings.contains($0) }
    guard values <= Self.valueLimit else {
      throw error(name, .tooManyValues(limit: Self.valueLimit))
    }
    return bytes
  }

  func error(_ member: String, _ reason: ImageArchiveError.Reason) -> ImageArchiveError {
    ImageArchiveError(path: path, member: member, reason: reason)
  }

  private func open(_ path: FilePath, _ name: String) throws(ImageArchiveError) -> Blob? {
    do throws(Errno) {
      switch try ArchiveFile.open(path) {
      case .file(let file): return Blob(file: file, offset: 0, size: file.size)
      case .directory, .other: throw .isDirectory
      }
    } catch {
      switch error {
      case .noSuchFileOrDirectory, .notDirectory:
        guard let link = DanglingLink(at: path) else { return nil }
        throw self.error(name, .danglingLink(target: link.target))
      case .isDirectory: throw self.error(name, .notAMember)
      default: throw self.error(name, .unreadable(error))
      }
    }
  }
}
