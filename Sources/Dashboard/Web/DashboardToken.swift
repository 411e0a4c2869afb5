/// The secret in the dashboard's address: 128 random bits.
///
/// Other users of the machine, and pages in the user's own browser, can reach the port; without this they get
/// nothing.
package struct DashboardToken: Hashable, Sendable {
  package let text: String

  package init() {
    var generator = SystemRandomNumberGenerator()
    let words = [generator.next() as UInt64, generator.next()]
    text = words.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// - Returns: `nil` for what is no such token.
  package init?(_ text: String) {
    guard text.utf8.count == 32, text.allSatisfy(\.isHexDigit) else { return nil }
    self.text = text
  }

  /// Compares in a time that does not tell how much is right.
  func matches(_ other: String) -> Bool {
    let (own, given) = (Array(text.utf8), Array(other.utf8))
    guard own.count == given.count else { return false }
    return zip(own, given).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
