import Basics

/// What is drawn on a terminal, and how it is drawn over. Pure: it makes the text that is to be written.
struct TerminalPage: Sendable {
  var usesColor = true
  /// The terminal does what escape sequences say; `TERM=dumb` does not.
  var isCapable = true

  /// The rows of the footer on the screen.
  private var drawn: [StyledText] = []
  private var title = ""

  init(usesColor: Bool = true, isCapable: Bool = true) {
    self.usesColor = usesColor
    self.isCapable = isCapable
  }

  /// Writes rows that stay, and the footer below them.
  ///
  /// - Parameters:
  ///   - rows: Above the footer.
  ///   - footer: All its rows, each narrower than the terminal.
  ///   - columns: Of the terminal, now.
  ///   - title: Of the window.
  /// - Returns: The text; empty where the screen shows it already.
  mutating func text(
    adding rows: [StyledText], footer: [StyledText], columns: Int, title: String
  ) -> String {
    guard isCapable else {
      return rows.map { $0.plain + "\n" }.joined()
    }
    guard !rows.isEmpty || footer != drawn || title != self.title else { return "" }
    var text = begin + erased(columns)
    for row in rows { text += rendered(row) + "\n" }
    text += footer.map(rendered).joined(separator: "\n")
    if title != self.title { text += "\u{1B}]2;\(Terminal.escaped(title))\u{07}" }
    (drawn, self.title) = (footer, title)
    return text + end
  }

  /// Takes the footer off the screen.
  mutating func textWithoutFooter(columns: Int) -> String {
    guard isCapable, !drawn.isEmpty else { return "" }
    let text = erased(columns)
    drawn = []
    return text
  }

  /// Clears the screen; the footer is to be drawn again.
  mutating func cleared() -> String {
    drawn = []
    return isCapable ? Terminal.clearScreen : ""
  }

  /// Another program has written since: what was drawn stays where it is.
  mutating func forget() { drawn = [] }

  /// Keeps the window's title for `titleGivenBack`, hides the cursor.
  var opening: String { isCapable ? "\u{1B}[22;2t\u{1B}[?25l" : "" }

  /// Gives title and cursor back.
  var closing: String { isCapable ? "\u{1B}[23;2t\u{1B}[?25h" : "" }

  // MARK: Parts

  /// Terminals that know it show all that is between at once, without a flicker.
  private var begin: String { "\u{1B}[?2026h" }
  private var end: String { "\u{1B}[?2026l" }

  private func rendered(_ row: StyledText) -> String {
    row.rendered(usesColor: usesColor, hasLinks: isCapable)
  }

  /// From the footer's last row to its first, and all below erased. A terminal that has become narrower has
  /// broken long rows.
  private func erased(_ columns: Int) -> String {
    guard !drawn.isEmpty else { return "" }
    let heights = drawn.map { max(1, ($0.columns + columns - 1) / max(columns, 1)) }
    let up = heights.reduce(0, +) - 1
    return "\r" + (up > 0 ? "\u{1B}[\(up)A" : "") + "\u{1B}[J"
  }
}
