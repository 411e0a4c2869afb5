/// One 512-byte block of a tar that describes a member, as bytes say it.
///
/// Source: https://www.gnu.org/software/tar/manual/html_node/Standard.html and
/// https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
struct TarHeader {
  /// As in the block, prefix joined; GNU and PAX records may override it.
  var name: [UInt8]
  var linkTarget: [UInt8]
  /// Bytes of content that follow, before padding. Never negative.
  var size: Int64
  var typeflag: UInt8

  static let blockSize = 512

  /// - Returns: `nil` when the checksum or a number is wrong.
  init?(block: [UInt8]) {
    precondition(block.count == Self.blockSize, "a tar header is 512 bytes")
    guard Self.hasValidChecksum(block), let size = Self.number(block[124..<136]) else { return nil }
    self.size = size
    typeflag = block[156]
    linkTarget = Self.text(block[157..<257])
    name = Self.text(block[0..<100])
    // Only POSIX headers ("ustar", NUL) have a prefix; GNU ones ("ustar  ") keep times there.
    let isPOSIX = block[257..<263].elementsEqual([0x75, 0x73, 0x74, 0x61, 0x72, 0x00])
    let prefix = isPOSIX ? Self.text(block[345..<500]) : []
    if !prefix.isEmpty { name = prefix + [UInt8(ascii: "/")] + name }
  }

  /// The size of its content in the file: links, devices and directories have a size at most in name.
  var contentSize: Int64 {
    switch typeflag {
    case UInt8(ascii: "1")...UInt8(ascii: "6"): 0
    default: size
    }
  }

  private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] {
    Array(field.prefix { $0 != 0 })
  }

  /// The checksum is the sum of all bytes, its own field read as spaces. Old tars summed signed bytes.
  private static func hasValidChecksum(_ block: [UInt8]) -> Bool {
    guard let stored = number(block[148..<156]) else { return false }
    var unsigned: Int64 = 0
    var signed: Int64 = 0
    for (index, byte) in block.enumerated() {
      let byte = (148..<156).contains(index) ? 0x20 : byte
      unsigned += Int64(byte)
      signed += Int64(Int8(bitPattern: byte))
    }
    return stored == unsigned || stored == signed
  }

  /// Octal digits between spaces and NULs, or, with the top bit set, a big-endian number.
  ///
  /// - Returns: `nil` for anything else: negative, beyond 63 bits, not a number.
  static func number(_ field: ArraySlice<UInt8>) -> Int64? {
    guard let first = field.first else { return nil }
    if first & 0x80 != 0 {
      guard first == 0x80 else { return nil }
      var value: Int64 = 0
      for byte in field.dropFirst() {
        guard value < 1 << 55 else { return nil }
        value = value << 8 | Int64(byte)
      }
      return value
    }
    let isFill: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0 }
    var digits = field.drop(while: isFill)
    while let last = digits.last, isFill(last) { digits.removeLast() }
    var value: Int64 = 0
    for digit in digits {
      guard (0x30...0x37).contains(digit), value < 1 << 60 else { return nil }
      value = value << 3 | Int64(digit - 0x30)
    }
    return value
  }
}

/// The records of a PAX extended header that matter here.
struct PAXRecords {
  var path: [UInt8]?
  var linkTarget: [UInt8]?
  var size: Int64?
  var isSparse = false

  /// - Returns: `nil` unless the bytes are a run of `LENGTH KEY=VALUE\n`.
  init?(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty, rest.first != 0 {
      guard let space = rest.firstIndex(of: 0x20), let length = Self.decimal(rest[..<space]),
        length > space - rest.startIndex + 1, length <= rest.count
      else { return nil }
      let record = rest[(space + 1)..<(rest.startIndex + length)]
      guard record.last == 0x0A, let equals = record.firstIndex(of: 0x3D) else { return nil }
      let value = record[(equals + 1)..<(record.endIndex - 1)]
      switch String(decoding: record[..<equals], as: UTF8.self) {
      case "path": path = Array(value)
      case "linkpath": linkTarget = Array(value)
      case "size":
        guard let number = Self.decimal(value) else { return nil }
        size = Int64(number)
      case let key where key.hasPrefix("GNU.sparse."): isSparse = true
      default: break
      }
      rest = rest[(rest.startIndex + length)...]
    }
  }

  private static func decimal(_ digits: ArraySlice<UInt8>) -> Int? {
    guard !digits.isEmpty, digits.count < 19, digits.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }
}
