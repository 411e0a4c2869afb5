import Foundation

/// Inputs that chance makes of good ones: the same for a seed, on every machine.
///
/// `WATCHBUILD_FUZZ=CASES,SEED` sets both for all fuzzers; by default each has its cases and a new seed, which it
/// prints.
package struct Fuzz: RandomNumberGenerator {
  package let cases: Int
  private var state: UInt64
  private let words: [[UInt8]]

  /// - Parameters:
  ///   - name: Is printed.
  ///   - words: What a reader of this format is most likely to stumble over.
  package init(_ name: String, cases: Int = 10_000, words: [String]) {
    let given = (ProcessInfo.processInfo.environment["WATCHBUILD_FUZZ"] ?? "").split(separator: ",")
    self.cases = given.first.flatMap { Int($0) } ?? cases
    let seed =
      given.dropFirst().first.flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000_000)
    state = seed
    self.words = words.map { Array($0.utf8) } + Self.words
    print("◇ fuzz: \(name): \(self.cases) cases, seed \(seed)")
  }

  private static let words: [[UInt8]] = [
    [0], [0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], Array("\r\n".utf8),
    Array("-1".utf8), Array("9223372036854775808".utf8), Array("1e999".utf8),
    Array("../../etc/passwd".utf8), Array(String(repeating: "[", count: 2000).utf8),
    Array(String(repeating: "a", count: 5000).utf8),
  ]

  // SplitMix64; source: https://prng.di.unimi.it/splitmix64.c
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  private mutating func number(below limit: Int) -> Int {
    limit > 0 ? Int(next() % UInt64(limit)) : 0
  }

  /// A good input with some of its bytes changed, cut, doubled, moved about, or words set in.
  package mutating func mutated(_ good: [[UInt8]]) -> [UInt8] {
    var bytes = good[number(below: good.count)]
    for _ in 0..<(1 + number(below: 5)) {
      let at = number(below: bytes.count + 1)
      let piece = bytes[at..<min(bytes.count, at + 1 + number(below: 64))]
      switch number(below: 9) {
      case 0, 1: if at < bytes.count { bytes[at] = UInt8(truncatingIfNeeded: next()) }
      case 2: if at < bytes.count { bytes[at] ^= 1 << UInt8(number(below: 8)) }
      case 3, 4: bytes.insert(contentsOf: words[number(below: words.count)], at: at)
      case 5: bytes.replaceSubrange(at..<at + piece.count, with: words[number(below: words.count)])
      case 6: bytes.removeSubrange(at..<at + piece.count)
      case 7: bytes.insert(contentsOf: piece, at: number(below: bytes.count + 1))
      default:
        let other = good[number(below: good.count)]
        bytes = Array(bytes[..<at] + other[number(below: other.count + 1)...])
      }
    }
    if number(below: 16) == 0 { bytes.removeLast(number(below: bytes.count + 1)) }
    return bytes
  }
}
