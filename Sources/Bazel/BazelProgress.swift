/// A line in which Bazel tells how far its actions have got: `[1,234 / 2,000] Compiling a.c; 3s linux-sandbox`.
package struct BazelProgress: Hashable, Sendable {
  package var done: Int
  package var total: Int
  /// The first of the running actions, in Bazel's words; `nil` between actions.
  package var what: String?
  /// For so long already.
  package var seconds = 0

  /// - Returns: `nil` for any other line.
  package init?(_ line: String) {
    guard line.hasPrefix("["), let end = line.firstIndex(of: "]") else { return nil }
    let numbers = line[..<end].dropFirst().split(separator: "/").map { part in
      Int(part.filter { $0 != "," && $0 != "." && $0 != " " })
    }
    guard numbers.count == 2, let done = numbers[0], let total = numbers[1] else { return nil }
    self.done = done
    self.total = total
    var rest = line[end...].dropFirst().drop { $0 == " " }
    // "... (3 actions, 2 running)"
    if let more = rest.firstRange(of: " ... (") { rest = rest[..<more.lowerBound] }
    if let semicolon = rest.lastIndex(of: ";") {
      let words = rest[semicolon...].dropFirst().split(separator: " ")
      if let time = words.first, time.last == "s", let seconds = Int(time.dropLast()) {
        self.seconds = seconds
        rest = rest[..<semicolon]
      }
    }
    let text = rest.hasSuffix("...") ? rest.dropLast(3) : rest
    what = text.isEmpty ? nil : String(text)
  }
}
