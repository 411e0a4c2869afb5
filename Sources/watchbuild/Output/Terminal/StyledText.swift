import Basics

/// A row of a terminal: text with colours and links, none of which a control character could break.
struct StyledText: Hashable, Sendable {
  struct Span: Hashable, Sendable {
    var text: String
    var color: TextColor?
    /// An address that a click opens.
    var link: String?
  }

  private(set) var spans: [Span] = []

  init() {}

  /// - Parameter text: Anything: what a terminal would act on is written as an escape.
  init(_ text: String, _ color: TextColor? = nil, link: String? = nil) {
    spans = [Span(text: Terminal.escaped(text), color: color, link: link)]
  }

  var plain: String { spans.map(\.text).joined() }

  var columns: Int { spans.reduce(0) { $0 + TextColumns.count($1.text) } }

  static func + (left: StyledText, right: StyledText) -> StyledText {
    var sum = left
    sum.spans += right.spans
    return sum
  }

  static func += (left: inout StyledText, right: StyledText) { left = left + right }

  /// The part that fits, with an ellipsis for the rest.
  func cut(to columns: Int) -> StyledText {
    guard self.columns > columns else { return self }
    var left = columns - 1
    var cut = StyledText()
    for var span in spans where left > 0 {
      span.text = TextColumns.prefix(span.text, columns: left)
      left -= TextColumns.count(span.text)
      cut.spans.append(span)
    }
    return columns > 0 ? cut + StyledText("…") : cut
  }

  /// Filled up with blanks.
  func padded(to columns: Int) -> StyledText {
    let missing = columns - self.columns
    return missing > 0 ? self + StyledText(String(repeating: " ", count: missing)) : self
  }

  /// One text at each edge; the right one is left out where there is no room for it.
  static func between(
    _ left: StyledText, _ right: StyledText, columns: Int
  ) -> StyledText {
    guard left.columns + right.columns + 2 <= columns else { return left.cut(to: columns) }
    return left.padded(to: columns - right.columns) + right
  }

  /// The bytes for a terminal.
  ///
  /// - Parameters:
  ///   - usesColor: False: the signs have to do.
  ///   - hasLinks: Whether places are links (OSC 8).
  func rendered(usesColor: Bool, hasLinks: Bool) -> String {
    spans.reduce(into: "") { text, span in
      var part = span.text
      if usesColor, let color = span.color { part = color.applied(to: part) }
      if hasLinks, let link = span.link {
        part = "\u{1B}]8;;\(link)\u{1B}\\\(part)\u{1B}]8;;\u{1B}\\"
      }
      text += part
    }
  }
}
