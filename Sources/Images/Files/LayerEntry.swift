/// One entry of a layer's tar.
struct LayerEntry: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    case file, directory, symbolicLink
    /// Another name of a file; the path of that.
    case hardLink(String)
    /// A device or pipe.
    case special
  }

  /// Relative, without `.` and `..`; never empty.
  var path: String
  var kind: Kind
  /// Tells an entry from any other: headers byte for byte, and content.
  var fingerprint: Digest
  /// The content of a file.
  var content: Digest
}

/// Reads the entries of an unpacked tar of which one piece after another is added, in bounded memory.
///
/// Sources: see `TarHeader`.
struct LayerScanner {
  /// The tar is damaged, or of a kind that is not understood here.
  struct Unreadable: Error {}

  private enum Phase {
    case header
    /// Records that describe the next entry.
    case extended(TarHeader, left: Int64, padding: Int)
    case content(left: Int64, padding: Int)
    case end
  }

  private struct Open {
    var entry: LayerEntry
    var isFile: Bool
    var hash: SHA256
    var whole: SHA256
  }

  private var phase = Phase.header
  private var block: [UInt8] = []
  /// Headers of the entry that is read, byte for byte.
  private var raw: [UInt8] = []
  private var extendedBytes: [UInt8] = []
  private var longName: [UInt8]?
  private var longLink: [UInt8]?
  private var records: PAXRecords?
  private var open: Open?
  private var count = 0

  init() {}

  /// Receives the entries while they are read.
  struct Taker {
    /// Called when the headers of an entry have been read; whether its bytes are wanted.
    var begin: (_ entry: LayerEntry) -> Bool = { _ in false }
    /// Called with the bytes of an entry that is wanted: headers, content and padding.
    var bytes: ([UInt8]) -> Void = { _ in }
    /// Called at an entry's end.
    var end: (LayerEntry) throws -> Void = { _ in }
  }

  private var isWanted = false

  /// - Throws: `Unreadable`; what the taker throws.
  mutating func add(_ bytes: UnsafeRawBufferPointer, _ taker: Taker) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      switch phase {
      case .end: return
      case .header:
        let part = rest.prefix(TarHeader.blockSize - block.count)
        block += part
        rest = rest.dropFirst(part.count)
        if block.count == TarHeader.blockSize { try header(taker) }
      case .extended(let header, let left, let padding):
        let part = rest.prefix(Int(min(Int64(rest.count), left + Int64(padding))))
        let text = part.prefix(Int(min(left, Int64(part.count))))
        extendedBytes += text
        raw += part
        rest = rest.dropFirst(part.count)
        let (newLeft, newPadding) = (
          left - Int64(text.count), padding - (part.count - text.count)
        )
        phase = .extended(header, left: newLeft, padding: newPadding)
        if newLeft == 0, newPadding == 0 { try extended(header) }
      case .content(let left, let padding):
        let part = rest.prefix(Int(min(Int64(rest.count), left + Int64(padding))))
        let text = UnsafeRawBufferPointer(rebasing: part.prefix(Int(min(left, Int64(part.count)))))
        open?.hash.update(text)
        open?.whole.update(text)
        if isWanted { taker.bytes(Array(part)) }
        rest = rest.dropFirst(part.count)
        let (newLeft, newPadding) = (
          left - Int64(text.count), padding - (part.count - text.count)
        )
        phase = .content(left: newLeft, padding: newPadding)
        if newLeft == 0, newPadding == 0 { try end(taker) }
      }
    }
  }

  /// - Throws: `Unreadable` where the tar ends in the middle of an entry.
  func finish() throws(Unreadable) {
    switch phase {
    case .end: return
    case .header where block.isEmpty && raw.isEmpty: return
    default: throw Unreadable()
    }
  }

  private mutating func header(_ taker: Taker) throws {
    defer { block = [] }
    if block.allSatisfy({ $0 == 0 }) {
      guard raw.isEmpty else { throw Unreadable() }
      phase = .end
      return
    }
    guard let header = TarHeader(block: block) else { throw Unreadable() }
    raw += block
    let type = header.typeflag
    if [UInt8(ascii: "L"), UInt8(ascii: "K"), UInt8(ascii: "x")].contains(type) {
      guard header.size <= TarReader.headerLimit else { throw Unreadable() }
      extendedBytes = []
      let padding = TarFraming.padding(after: header.size)
      phase = .extended(header, left: header.size, padding: padding)
      if header.size == 0 { try extended(header) }
      return
    }
    // Global records and sparse files change the meaning of what follows.
    guard type != UInt8(ascii: "g"), type != UInt8(ascii: "S"), records?.isSparse != true else {
      throw Unreadable()
    }
    try begin(header, taker)
  }

  private mutating func extended(_ header: TarHeader) throws {
    switch header.typeflag {
    case UInt8(ascii: "L"): longName = Array(extendedBytes.prefix { $0 != 0 })
    case UInt8(ascii: "K"): longLink = Array(extendedBytes.prefix { $0 != 0 })
    default:
      guard let found = PAXRecords(extendedBytes) else { throw Unreadable() }
      records = found
    }
    phase = .header
  }

  private mutating func begin(_ header: TarHeader, _ taker: Taker) throws {
    let name = records?.path ?? longName ?? header.name
    let link = records?.linkTarget ?? longLink ?? header.linkTarget
    var sized = header
    sized.size = records?.size ?? header.size
    let size = sized.contentSize
    count += 1
    guard count <= TarReader.memberLimit, size >= 0 else { throw Unreadable() }
    let type = header.typeflag
    let isDirectory = type == UInt8(ascii: "5") || (type == 0 && name.last == UInt8(ascii: "/"))
    let kind: LayerEntry.Kind =
      if isDirectory { .directory } else {
        switch type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file
        case UInt8(ascii: "1"): .hardLink(try Self.path(link) ?? "")
        case UInt8(ascii: "2"): .symbolicLink
        default: .special
        }
      }
    // The root itself has no name.
    let path = try Self.path(name) ?? ""
    var whole = SHA256()
    whole.update(raw)
    let none = Digest(finished: SHA256().finalize())
    let entry = LayerEntry(path: path, kind: kind, fingerprint: none, content: none)
    open = Open(entry: entry, isFile: kind == .file, hash: SHA256(), whole: whole)
    isWanted = taker.begin(entry)
    if isWanted { taker.bytes(raw) }
    (raw, longName, longLink, records) = ([], nil, nil, nil)
    let padding = TarFraming.padding(after: size)
    phase = .content(left: size, padding: padding)
    if size == 0 { try end(taker) }
  }

  private mutating func end(_ taker: Taker) throws {
    phase = .header
    isWanted = false
    guard var entry = open?.entry, let hash = open?.hash, let whole = open?.whole else { return }
    entry.content = Digest(finished: hash.finalize())
    entry.fingerprint = Digest(finished: whole.finalize())
    open = nil
    try taker.end(entry)
  }

  /// - Returns: `nil` for the root.
  /// - Throws: `Unreadable` for a name that leaves the root, or is no UTF-8.
  private static func path(_ name: [UInt8]) throws(Unreadable) -> String? {
    guard let text = String(validating: name, as: UTF8.self) else { throw Unreadable() }
    let parts = text.split(separator: "/").filter { $0 != "." }
    guard !parts.contains("..") else { throw Unreadable() }
    return parts.isEmpty ? nil : parts.joined(separator: "/")
  }
}
