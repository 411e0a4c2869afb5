import SystemPackage

/// A member of a tar: what it is called and where in the file its bytes lie.
struct TarMember {
  enum Kind { case file, symbolicLink, hardLink, other }

  /// Bytes as in the tar: not normalized, not necessarily UTF-8.
  var name: [UInt8]
  var kind: Kind
  var linkTarget: [UInt8]
  /// Where its content begins, in bytes from the file's start.
  var offset: Int64
  var size: Int64

  /// The name as a person reads it.
  var displayName: String { String(decoding: name, as: UTF8.self) }
}

/// Walks the headers of an uncompressed tar and skips over what lies between them.
///
/// Reads ustar, GNU (long names and links) and PAX (path, linkpath, size). A missing end-of-archive
/// mark is accepted, as by Docker; every member must lie within the file.
struct TarReader {
  /// Bytes of one long name or extended header at most.
  static let headerLimit: Int64 = 1 << 20
  /// Far more than any image has; bounds the memory that a hostile tar can make us use.
  static let memberLimit = 100_000
  /// Bytes of all names together at most.
  static let nameLimit = 16 << 20

  private let file: ArchiveFile
  private var offset: Int64 = 0
  private var count = 0
  private var nameBytes = 0

  init(_ file: ArchiveFile) {
    self.file = file
  }

  /// - Returns: The next member, or `nil` after the last.
  mutating func next() throws(TarError) -> TarMember? {
    var longName: [UInt8]?
    var longLink: [UInt8]?
    var records: PAXRecords?
    while let (header, start) = try nextHeader() {
      switch header.typeflag {
      case UInt8(ascii: "L"): longName = try text(of: header, at: start)
      case UInt8(ascii: "K"): longLink = try text(of: header, at: start)
      case UInt8(ascii: "x"):
        records = PAXRecords(try extendedHeader(header, at: start))
        if records == nil { throw .damagedHeader(offset: start) }
      case UInt8(ascii: "g"): try skip(header, named: "(global header)")
      default:
        var header = header
        header.name = records?.path ?? longName ?? header.name
        header.linkTarget = records?.linkTarget ?? longLink ?? header.linkTarget
        header.size = records?.size ?? header.size
        return try member(header, isSparse: records?.isSparse == true)
      }
    }
    // A long name with no member behind it: the rest was cut off.
    if longName != nil || longLink != nil || records != nil { throw .truncated(member: nil) }
    return nil
  }

  private mutating func member(_ header: TarHeader, isSparse: Bool) throws(TarError) -> TarMember {
    let kind: TarMember.Kind =
      switch header.typeflag {
      case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file
      case UInt8(ascii: "1"): .hardLink
      case UInt8(ascii: "2"): .symbolicLink
      default: .other
      }
    let member = TarMember(
      name: header.name, kind: kind, linkTarget: header.linkTarget, offset: offset,
      size: header.contentSize)
    // What follows an old GNU sparse header need not be a header again.
    if isSparse || header.typeflag == UInt8(ascii: "S") {
      throw .sparse(member: member.displayName)
    }
    count += 1
    nameBytes += header.name.count + header.linkTarget.count
    guard count <= Self.memberLimit, nameBytes <= Self.nameLimit else {
      throw .tooManyMembers(limit: Self.memberLimit)
    }
    try skip(header, named: member.displayName)
    return member
  }

  /// The header at `offset`, which then moves behind it.
  private mutating func nextHeader() throws(TarError) -> (TarHeader, start: Int64)? {
    let start = offset
    guard let block = try block(at: start) else { return nil }
    if block.allSatisfy({ $0 == 0 }) {
      // The end is two zero blocks; of the second, its absence is forgiven.
      if let second = try self.block(at: start + 512), !second.allSatisfy({ $0 == 0 }) {
        throw .damagedHeader(offset: start)
      }
      return nil
    }
    guard let header = TarHeader(block: block) else {
      if start > 0 { throw .damagedHeader(offset: start) }
      throw Self.compression(of: block).map(TarError.compressed) ?? .notTar
    }
    offset = start + Int64(TarHeader.blockSize)
    return (header, start)
  }

  private func block(at offset: Int64) throws(TarError) -> [UInt8]? {
    let bytes: [UInt8]
    do throws(Errno) {
      bytes = try file.bytes(at: offset, count: TarHeader.blockSize)
    } catch {
      throw .unreadable(error)
    }
    if bytes.count == TarHeader.blockSize { return bytes }
    if bytes.isEmpty { return nil }
    if offset > 0 { throw .truncated(member: nil) }
    throw Self.compression(of: bytes).map(TarError.compressed) ?? .notTar
  }

  private mutating func skip(_ header: TarHeader, named name: String) throws(TarError) {
    // Compared this way round, no size in a header can overflow.
    guard header.contentSize <= file.size - offset else { throw .truncated(member: name) }
    offset += header.contentSize
    let padded = (offset + 511) & ~511
    offset = min(padded, file.size)
  }

  private mutating func text(of header: TarHeader, at start: Int64) throws(TarError) -> [UInt8] {
    Array(try extendedHeader(header, at: start).prefix { $0 != 0 })
  }

  private mutating func extendedHeader(
    _ header: TarHeader, at start: Int64
  ) throws(TarError) -> [UInt8] {
    guard header.size <= Self.headerLimit else {
      throw .oversizedHeader(offset: start, size: header.size)
    }
    let contentStart = offset
    try skip(header, named: header.name.isEmpty ? "(long name)" : "(extended header)")
    do throws(Errno) {
      return try file.bytes(at: contentStart, count: Int(header.size))
    } catch {
      throw .unreadable(error)
    }
  }

  /// The name of the compression whose magic number the bytes begin with.
  static func compression(of bytes: [UInt8]) -> String? {
    if bytes.starts(with: [0x1F, 0x8B]) { return "gzip" }
    if bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return "zstd" }
    if bytes.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]) { return "xz" }
    if bytes.starts(with: [0x42, 0x5A, 0x68]) { return "bzip2" }
    return nil
  }
}
