/// A place in a file, as programs write it: `a/b.c:7:13: rest`.
struct SourcePosition: Hashable {
  var file: String
  var line: Int
  var column: Int?
  /// The text behind the position, without its colon and spaces.
  var rest: Substring

  /// Reads `path:line: rest`, `path:line:column: rest` and `path(line,column): rest`.
  ///
  /// - Returns: `nil` when the text does not start with a position, or nothing follows it.
  init?(_ text: Substring) {
    guard let found = Self.colons(text) ?? Self.parentheses(text), !found.rest.isEmpty else {
      return nil
    }
    self = found
  }

  private init(file: Substring, line: Int, column: Int?, rest: Substring) {
    self.file = String(file)
    self.line = line
    self.column = column
    self.rest = rest
  }

  private static func colons(_ text: Substring) -> SourcePosition? {
    var search = text
    while let colon = search.firstIndex(of: ":") {
      search = search[search.index(after: colon)...]
      var after = search
      guard colon > text.startIndex, let line = number(&after) else { continue }
      guard after.first == ":" else { continue }
      after = after.dropFirst()
      var column: Int?
      var withColumn = after
      if let value = number(&withColumn),
        // Bazel leaves the second colon out before "Executing".
        let next = withColumn.first, next == ":" || next == " "
      {
        column = value
        after = next == ":" ? withColumn.dropFirst() : withColumn
      }
      // A space after the colon, but for TypeScript's " - " and Rust's nothing.
      return SourcePosition(
        file: text[..<colon], line: line, column: column, rest: after.trimmingSpaces)
    }
    return nil
  }

  private static func parentheses(_ text: Substring) -> SourcePosition? {
    guard let open = text.firstIndex(of: "("), open > text.startIndex else { return nil }
    var rest = text[open...].dropFirst()
    guard let line = number(&rest), rest.popFirst() == ",", let column = number(&rest),
      rest.popFirst() == ")", rest.popFirst() == ":"
    else { return nil }
    return SourcePosition(
      file: text[..<open], line: line, column: column, rest: rest.trimmingSpaces)
  }

  private static func number(_ text: inout Substring) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let value = Int(digits) else { return nil }
    text = text[digits.endIndex...]
    return value
  }
}

extension Substring {
  var trimmingSpaces: Substring { trimming(while: \.isWhitespace) }

  func trimming(while isUnwanted: (Character) -> Bool) -> Substring {
    var text = drop(while: isUnwanted)
    while let last = text.last, isUnwanted(last) { text.removeLast() }
    return text
  }
}
