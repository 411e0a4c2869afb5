/// The known entries of one directory, packed into one allocation.
///
/// A workspace may have a million files, so an entry costs its name and eleven bytes: a value, flags
/// and the name's length. Directories of more than 64 entries get a hash index beside it.
struct FileRecords {
  struct Entry: Equatable {
    struct Flags: OptionSet, Equatable {
      let rawValue: UInt8
      static let directory = Flags(rawValue: 1)
      static let executable = Flags(rawValue: 2)
      /// `value` is a fingerprint, else the moment up to which all changes have been reported.
      static let fingerprinted = Flags(rawValue: 4)
      /// The fingerprint was taken so soon after a change that the next may bear the same time.
      static let racy = Flags(rawValue: 8)
      /// Created since the reader last looked, and not closed since.
      static let fresh = Flags(rawValue: 32)
      /// Seen in the listing that is under way.
      static let present = Flags(rawValue: 16)
      static let removed = Flags(rawValue: 128)
    }

    var flags: Flags
    /// For a file, a fingerprint or a moment; for a directory, its node's number plus one, or 0.
    var value: UInt64
  }

  typealias Name = UnsafeBufferPointer<UInt8>

  private static let header = 11
  /// The kernel takes no longer path, and FUSE, SMB and others have no longer name.
  static let longestName = 4096
  private static let indexedFrom = 64

  private var bytes: [UInt8] = []
  /// Offsets plus one by hash of name, open addressing; empty while the directory is small.
  private var index: [UInt32] = []
  private var live: Int32 = 0
  /// A directory has been entered since everything was removed.
  private(set) var hasDirectories = false
  private var removedBytes: Int32 = 0

  var count: Int { Int(live) }
  var isEmpty: Bool { live == 0 }

  // MARK: Entries

  /// - Returns: The entry's offset, good until the next `insert`, `remove` or `compact`.
  func offset(of name: Name) -> Int? {
    if index.isEmpty { return scan(for: name) }
    var slot = Self.hash(name) & (index.count - 1)
    while index[slot] != 0 {
      let offset = Int(index[slot]) - 1
      if matches(offset, name) { return offset }
      slot = (slot + 1) & (index.count - 1)
    }
    return nil
  }

  subscript(offset: Int) -> Entry {
    get {
      bytes.withUnsafeBytes {
        Entry(
          flags: Entry.Flags(rawValue: $0[offset + 8]),
          value: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      }
    }
    set {
      bytes.withUnsafeMutableBytes {
        $0.storeBytes(of: newValue.value, toByteOffset: offset, as: UInt64.self)
        $0[offset + 8] = newValue.flags.rawValue
      }
      if newValue.flags.contains(.directory) { hasDirectories = true }
    }
  }

  /// - Precondition: There is no entry of that name; the name has 1 to 4096 bytes.
  @discardableResult
  mutating func insert(_ name: Name, _ entry: Entry) -> Int {
    precondition(
      1...Self.longestName ~= name.count,
      "a file name of \(name.count) bytes: the kernel has none such")
    let offset = bytes.count
    withUnsafeBytes(of: entry.value) { bytes.append(contentsOf: $0) }
    bytes.append(entry.flags.rawValue)
    withUnsafeBytes(of: UInt16(name.count).littleEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: name)
    live += 1
    if entry.flags.contains(.directory) { hasDirectories = true }
    if !index.isEmpty && Int(live) * 2 <= index.count {
      place(offset, name)
    } else if live > Self.indexedFrom {
      rebuildIndex()
    }
    return offset
  }

  mutating func remove(at offset: Int) {
    var entry = self[offset]
    guard !entry.flags.contains(.removed) else { return }
    entry.flags.insert(.removed)
    self[offset] = entry
    live -= 1
    removedBytes += Int32(Self.header + nameLength(at: offset))
  }

  func withName<Result>(at offset: Int, _ body: (Name) throws -> Result) rethrows -> Result {
    try bytes.withUnsafeBufferPointer {
      let start = offset + Self.header
      return try body(Name(rebasing: $0[start..<start + nameLength(at: offset)]))
    }
  }

  private func nameLength(at offset: Int) -> Int {
    Int(bytes[offset + 9]) | Int(bytes[offset + 10]) << 8
  }

  /// The offsets of all entries, in no order that means anything.
  func forEach(_ body: (Int, Entry) -> Void) {
    var offset = 0
    while offset < bytes.count {
      let entry = self[offset]
      if !entry.flags.contains(.removed) { body(offset, entry) }
      offset += Self.header + nameLength(at: offset)
    }
  }

  // MARK: Room

  var isWorthCompacting: Bool { removedBytes > 512 && Int(removedBytes) > bytes.count / 2 }

  /// Forgets all entries and keeps the room.
  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    index = []
    (live, removedBytes, hasDirectories) = (0, 0, false)
  }

  /// A copy that has no spare room.
  var compacted: FileRecords {
    var copy = self
    copy.compact()
    return copy
  }

  /// Forgets removed entries and spare room. All offsets change.
  mutating func compact() {
    guard removedBytes > 0 else {
      bytes = bytes.withUnsafeBufferPointer { Array($0) }
      return
    }
    var kept: [UInt8] = []
    kept.reserveCapacity(bytes.count - Int(removedBytes))
    var offset = 0
    while offset < bytes.count {
      let next = offset + Self.header + nameLength(at: offset)
      if bytes[offset + 8] & Entry.Flags.removed.rawValue == 0 {
        kept.append(contentsOf: bytes[offset..<next])
      }
      offset = next
    }
    bytes = kept
    removedBytes = 0
    if live > Self.indexedFrom { rebuildIndex() } else { index = [] }
  }

  private mutating func rebuildIndex() {
    var size = 256
    while size < Int(live) * 4 { size *= 2 }
    index = [UInt32](repeating: 0, count: size)
    var offsets: [Int] = []
    forEach { offset, _ in offsets.append(offset) }
    for offset in offsets {
      var slot = withName(at: offset) { Self.hash($0) } & (size - 1)
      while index[slot] != 0 { slot = (slot + 1) & (size - 1) }
      index[slot] = UInt32(offset + 1)
    }
  }

  private mutating func place(_ offset: Int, _ name: Name) {
    var slot = Self.hash(name) & (index.count - 1)
    var probes = 0
    while index[slot] != 0 {
      slot = (slot + 1) & (index.count - 1)
      probes += 1
      // Slots of removed entries are never freed one by one; too many of them slow every look-up.
      if probes > 32 { return rebuildIndex() }
    }
    index[slot] = UInt32(offset + 1)
  }

  private func scan(for name: Name) -> Int? {
    var offset = 0
    while offset < bytes.count {
      if matches(offset, name) { return offset }
      offset += Self.header + nameLength(at: offset)
    }
    return nil
  }

  private func matches(_ offset: Int, _ name: Name) -> Bool {
    bytes.withUnsafeBufferPointer {
      guard nameLength(at: offset) == name.count,
        $0[offset + 8] & Entry.Flags.removed.rawValue == 0
      else { return false }
      let start = offset + Self.header
      for position in 0..<name.count where $0[start + position] != name[position] { return false }
      return true
    }
  }

  /// FNV-1a. Source: http://www.isthe.com/chongo/tech/comp/fnv/
  private static func hash(_ name: Name) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return Int(truncatingIfNeeded: hash ^ (hash >> 32)) & Int.max
  }
}
