/// Characters that a terminal acts on, or that make text read other than it is.
package enum UnsafeText {
  package static func contains(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    // Control characters: C0, DEL and C1.
    case 0...0x1F, 0x7F...0x9F: true
    // Source: https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings
    case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
    // Line and paragraph separators.
    case 0x2028, 0x2029: true
    default: false
    }
  }

  /// JSON in which each of them is written as `\u` and its number, as JSON itself asks for C0 alone.
  ///
  /// - Parameter json: Valid JSON: there they stand in strings only, but for newlines between tokens.
  package static func escaped(json: [UInt8]) -> [UInt8] {
    // DEL, and the first bytes of the others.
    guard json.contains(where: { [0x7F, 0xC2, 0xD8, 0xE2].contains($0) }) else { return json }
    var safe: [UInt8] = []
    safe.reserveCapacity(json.count + 64)
    for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
      if scalar.value >= 0x7F, contains(scalar) {
        let digits = String(scalar.value, radix: 16)
        safe += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
      } else {
        safe += String(scalar).utf8
      }
    }
    return safe
  }
}
