/// Text of a man page, in the macros of man(7).
struct Roff {
  private(set) var lines: [String] = []

  mutating func section(_ title: String) {
    lines.append(".SH \(title)")
  }

  mutating func subsection(_ title: String) {
    lines.append(".SS \(Self.escaped(title))")
  }

  /// Paragraphs, parted by an empty line.
  mutating func prose(_ text: String) {
    for paragraph in text.split(separator: "\n\n") {
      lines.append(".PP")
      lines.append(Self.escaped(paragraph.split(separator: "\n").joined(separator: " ")))
    }
  }

  /// An indented paragraph below its name.
  ///
  /// - Parameter name: Already in the markup of `bold(_:)` and `italic(_:)`.
  mutating func item(_ name: String, _ text: String) {
    lines += [".TP", name, Self.escaped(text)]
  }

  /// Lines as they are.
  mutating func literal(_ text: [String]) {
    lines += [".PP", ".nf", ".RS 4"] + text.map(Self.escaped) + [".RE", ".fi"]
  }

  mutating func raw(_ line: String) {
    lines.append(line)
  }

  static func bold(_ text: String) -> String { "\\fB\(escaped(text))\\fR" }

  static func italic(_ text: String) -> String { "\\fI\(escaped(text))\\fR" }

  /// A hyphen is one that can be typed, and no line is taken for a request.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for character in text {
      switch character {
      case "\\": escaped += "\\e"
      case "-": escaped += "\\-"
      default: escaped.append(character)
      }
    }
    return [".", "'"].contains(escaped.first) ? "\\&\(escaped)" : escaped
  }
}
