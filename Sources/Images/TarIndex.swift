import SystemPackage

/// The members of a tar by name.
struct TarIndex {
  private let file: ArchiveFile
  private var members: [[UInt8]: TarMember] = [:]
  /// Members of a name that an earlier one has: by their content it is told whether they are one.
  private var duplicates: [[UInt8]: [TarMember]] = [:]

  /// Reads the headers of a tar, unpacking it first if it is compressed as a whole.
  init(unpacking file: ArchiveFile) throws(ImageArchiveError) {
    do throws(ImageArchiveError) {
      self = try TarIndex(file)
    } catch {
      guard case .compressed("gzip") = error.reason else { throw error }
      self = try TarIndex(try CompressedArchive.unpacked(file))
    }
  }

  init(_ file: ArchiveFile) throws(ImageArchiveError) {
    self.file = file
    var reader = TarReader(file)
    do throws(TarError) {
      while let member = try reader.next() {
        guard let name = Self.normalize(member.name[...]) else { continue }
        if let other = members.updateValue(member, forKey: name) {
          duplicates[name, default: []].append(other)
        }
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
    guard let blob = try blob(of: member, key, named: name, hops: hops) else {
      throw error(name, .notAMember)
    }
    // Docker, podman and containerd take the last; where all are equal, so do we.
    for other in duplicates[key] ?? [] {
      guard let same = try self.blob(of: other, key, named: name, hops: hops),
        try same.hasEqualContent(blob)
      else { throw error(name, .duplicate) }
    }
    return blob
  }

  private func blob(
    of member: TarMember, _ key: [UInt8], named name: String, hops: Int
  ) throws(ImageArchiveError) -> Blob? {
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
    return hops < 8 ? try find(target, named: name, hops: hops + 1) : nil
  }

  private func error(_ member: String, _ reason: ImageArchiveError.Reason) -> ImageArchiveError {
    ImageArchiveError(path: file.path, member: member, reason: reason)
  }

  /// Without `.` and empty components: `./manifest.json` and `manifest.json` are one member.
  ///
  /// In a path that begins inside, `..` may lead upwards within the archive, and a leading slash
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

extension Blob {
  fileprivate func hasEqualContent(_ other: Blob) throws(ImageArchiveError) -> Bool {
    guard size == other.size else { return false }
    var position: Int64 = offset == other.offset ? size : 0
    while position < size {
      let count = Int(min(Int64(ImageStream.chunkSize), size - position))
      guard try read(at: position, count: count) == other.read(at: position, count: count) else {
        return false
      }
      position += Int64(count)
    }
    return true
  }
}
