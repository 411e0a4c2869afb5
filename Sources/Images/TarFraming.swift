/// The bytes around members in a tar that we write.
enum TarFraming {
  /// Two zero blocks.
  static let endSize = 1024

  /// A ustar header for a regular file, the same bytes for the same name and size.
  ///
  /// The name has at most 100 bytes: we name members ourselves, by digest.
  static func header(name: String, size: Int64) -> [UInt8] {
    let nameBytes = Array(name.utf8)
    precondition(nameBytes.count <= 100, "member name too long for a ustar header: \(name)")
    var block = [UInt8](repeating: 0, count: TarHeader.blockSize)
    func put(_ bytes: some Collection<UInt8>, at offset: Int) {
      block.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    }
    put(nameBytes, at: 0)
    put("0000644\0".utf8, at: 100)
    put("0000000\0".utf8, at: 108)
    put("0000000\0".utf8, at: 116)
    put(sizeField(size), at: 124)
    put("00000000000\0".utf8, at: 136)
    put("        ".utf8, at: 148)
    block[156] = UInt8(ascii: "0")
    put("ustar\0".utf8, at: 257)
    put("00".utf8, at: 263)
    let sum = block.reduce(0) { $0 + Int($1) }
    put("\(octal(Int64(sum), width: 6))\0 ".utf8, at: 148)
    return block
  }

  /// Zero bytes from the end of content to the next block.
  static func padding(after size: Int64) -> Int { Int((512 - size % 512) % 512) }

  /// Eleven octal digits reach to 8 GiB; beyond it, GNU's and Go's base 256.
  private static func sizeField(_ size: Int64) -> [UInt8] {
    if size < 1 << 33 { return Array("\(octal(size, width: 11))\0".utf8) }
    let low = (0..<8).reversed().map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
    return [0x80, 0, 0, 0] + low
  }

  private static func octal(_ value: Int64, width: Int) -> String {
    let digits = String(value, radix: 8)
    return String(repeating: "0", count: width - digits.count) + digits
  }
}
