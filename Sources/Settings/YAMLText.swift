import Basics

/// Refuses YAML before it is read: what costs the reader time without bound, and what no editor shows.
///
/// A key that is an alias, or holds one, has its whole value hashed, and aliases of aliases grow without bound. Only
/// looked for where there are aliases at all, so that text which merely looks like it is left alone.
struct YAMLText {
  /// A place in the text, and what is wrong there.
  struct Refusal: Equatable {
    var message: String
    /// Both from 1.
    var line: Int
    var column: Int
  }

  /// Deeper than any configuration.
  private static let maximumDepth = 64

  private let lines: [Substring]

  init(_ text: String) {
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The first mistake; `nil` where there is none.
  var refusal: Refusal? {
    let hasAliases =
      lines.contains { Self.marks("&", in: $0) } && lines.contains { Self.marks("*", in: $0) }
    var depth = 0
    for (index, line) in lines.enumerated() {
      let found =
        Self.control(in: line) ?? Self.nesting(of: line, &depth)
        ?? (hasAliases ? Self.key(in: line) : nil)
      if let (message, column) = found {
        return Refusal(message: message, line: index + 1, column: column)
      }
    }
    return nil
  }

  /// A character that no editor shows as it is, or that has another text shown. Other control characters are the
  /// YAML library's to refuse; it takes NUL for the end.
  private static func control(in line: Substring) -> (String, Int)? {
    let scalars = line.unicodeScalars
    guard
      let bad = scalars.firstIndex(where: {
        $0.value == 0 || ($0.value >= 0x7F && UnsafeText.contains($0))
      })
    else { return nil }
    let number = String(scalars[bad].value, radix: 16, uppercase: true)
    let name = "U+" + String(repeating: "0", count: max(0, 4 - number.count)) + number
    return (
      "broken YAML: \(name) is a character that can't be seen",
      scalars.distance(from: scalars.startIndex, to: bad) + 1
    )
  }

  /// Brackets that are open, and lists in lists in one line.
  private static func nesting(of line: Substring, _ depth: inout Int) -> (String, Int)? {
    var dashes = 0
    for (column, character) in line.enumerated() {
      switch character {
      case "[", "{": depth += 1
      case "]", "}": depth = max(0, depth - 1)
      case "-", "?": dashes += 1
      case " ": break
      default: dashes = 0
      }
      if depth > maximumDepth || dashes > maximumDepth {
        return ("broken YAML: values are nested too deeply", column + 1)
      }
    }
    return nil
  }

  /// A key that is or may hold an alias.
  private static func key(in line: Substring) -> (String, Int)? {
    let message = "an alias can't be a key, nor be in one"
    let bare = line.drop { $0 == " " || $0 == "-" }
    if bare.hasPrefix("? ") || bare == "?" { return (message, line.count - bare.count + 1) }
    var rest = line
    while let star = rest.firstIndex(of: "*") {
      let name = rest[rest.index(after: star)...].prefix {
        $0.isLetter || $0.isNumber || "_-".contains($0)
      }
      let behind = rest[name.endIndex...].drop { $0 == " " }
      if !name.isEmpty, behind.hasPrefix(":") {
        return (message, line.distance(from: line.startIndex, to: star) + 1)
      }
      rest = rest[name.endIndex...].isEmpty ? "" : rest[rest.index(after: star)...]
    }
    for close in ["]", "}"] {
      if let end = line.firstRange(of: close),
        line[end.upperBound...].drop(while: { $0 == " " }).hasPrefix(":")
      {
        return (message, line.distance(from: line.startIndex, to: end.lowerBound) + 1)
      }
    }
    return nil
  }

  /// Tells whether a word begins with a mark: an anchor or an alias.
  private static func marks(_ mark: Character, in line: Substring) -> Bool {
    var previous: Character = " "
    for (character, next) in zip(line, line.dropFirst()) {
      if character == mark, " [{,:-?".contains(previous),
        next.isLetter || next.isNumber || next == "_"
      {
        return true
      }
      previous = character
    }
    return false
  }
}
