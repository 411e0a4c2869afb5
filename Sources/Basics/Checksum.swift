/// Tells damage and change; no protection against a person who means harm.
package enum Checksum {
  /// Eight bytes at a time, each mixed by the finaliser of SplitMix64.
  package static func of(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.withUnsafeBytes { bytes in
      var hash = mix(UInt64(bytes.count))
      var position = 0
      while position + 8 <= bytes.count {
        hash = mix(
          hash, bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        position += 8
      }
      var rest: UInt64 = 0
      while position < bytes.count {
        rest = rest << 8 | UInt64(bytes[position])
        position += 1
      }
      return mix(hash, rest)
    }
  }

  @inline(__always)
  package static func mix(_ values: UInt64...) -> UInt64 {
    values.reduce(0x9E37_79B9_7F4A_7C15, mix)
  }

  @inline(__always)
  static func mix(_ hash: UInt64, _ value: UInt64) -> UInt64 {
    var hash = (hash ^ value) &+ 0x9E37_79B9_7F4A_7C15
    hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
    return hash ^ (hash >> 31)
  }
}
