import SystemPackage

/// The members of a tar by name.
struct TarIndex {
  private let file: ArchiveFile
  private var members: [[UInt8]: TarMember] = [:]
  private var duplicates: Set<[UInt8]> = []

  init(_ file: ArchiveFile) throws(ImageArchiveError) {
    self.file = file
    var reader = TarReader(file)
    do throws(TarError) {
      while let member = try reader.next() {
        guard let name = Self.normalize(member.name[...]) else { continue }
        if members.updateValue(member, forKey: name) != nil { duplicates.insert(name) }
      }
    } catch {
      throw ImageArchiveError(path: file.path, error)
    }
  }

  /// - Returns: `nil` when there is no such member.
  func find(_ name: String) throws(ImageArchiveError) -> Blob? {
    guard let key = Self.normalize(Array(name.utf8)[...]) else { throw error(name, .outside) }
    return try find(key, named: name, hops: 0)
  }

  /// Follows links from member to member: `docker save` made them for layers of equal content.
  private func find(
    _ key: [UInt8], named name: String, hops: Int
  ) throws(ImageArchiveError) -> Blob? {
    guard let member = members[key] else { return nil }
    if duplicates.contains(key) { throw error(name, .duplicate) }
    let target: [UInt8]?
    switch member.kind {
    case .file: return Blob(file: file, offset: member.offset, size: member.size)
    case .hardLink: target = Self.normalize(member.linkTarget[...])
    case .symbolicLink:
      guard member.linkTarget.first != UInt8(ascii: "/") else { throw error(name, .outside) }
      let folder = key[..<(key.lastIndex(of: UInt8(ascii: "/")) ?? 0)]
      target = Self.normalize(folder + [UInt8(ascii: "/")] + member.linkTarget, isInside: true)
    case .other: throw error(name, .notAMember)
    }
    guard let target else { throw error(name, .outside) }
    guard hops < 8, let found = try find(target, named: name, hops: hops + 1) else {
      throw error(name, .notAMember)
    }
    return found
  }

  private func error(_ member: String, _ reason: ImageArchiveError.Reason) -> ImageArchiveError {
    ImageArchiveError(path: file.path, member: member, reason: reason)
  }

  /// Without `.` and empty components: `./manifest.json` and `manifest.json` are one member.
  ///
  /// Of a path that begins inside, `..` may lead upwards within the archive, and a leading slash
  /// means nothing. The result is `nil` for other absolute paths, and for those that lead out.
  private static func normalize(_ name: ArraySlice<UInt8>, isInside: Bool = false) -> [UInt8]? {
    guard isInside || name.first != UInt8(ascii: "/") else { return nil }
    var components: [ArraySlice<UInt8>] = []
    for component in name.split(separator: UInt8(ascii: "/")) {
      if component.elementsEqual(".".utf8) { continue }
      if component.elementsEqual("..".utf8) {
        guard isInside, components.popLast() != nil else { return nil }
        continue
      }
      components.append(component)
    }
    return components.isEmpty ? nil : Array(components.joined(separator: [UInt8(ascii: "/")]))
  }
}

/// What an archive holds, by name: a tar's members, or the files of an OCI layout directory.
package struct ArchiveMembers {
  enum Container {
    case tar(TarIndex)
    case directory
  }

  /// Of a manifest, an index, a configuration. Registries accept 4 MB, containerd 8.
  package static let jsonLimit: Int64 = 8 << 20
  /// More than any image's JSON has.
  private static let valueLimit = 50_000
  /// What stands before a value.
  private static let beginnings: [UInt8] = [
    UInt8(ascii: ","), UInt8(ascii: "{"), UInt8(ascii: "["),
  ]

  let path: FilePath
  private let container: Container

  init(path: FilePath, _ container: Container) {
    self.path = path
    self.container = container
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
  func find(_ digest: Digest) throws(ImageArchiveError) -> Blob {
    let name = OCILayout.blobName(digest)
    let blob =
      switch container {
      case .tar(let index): try index.find(name)
      case .directory: try open(path.appending(name), name)
      }
    guard let blob else { throw error(name, .missing) }
    return blob
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
      case .noSuchFileOrDirectory, .notDirectory: return nil
      case .isDirectory: throw self.error(name, .notAMember)
      default: throw self.error(name, .unreadable(error))
      }
    }
  }
}
