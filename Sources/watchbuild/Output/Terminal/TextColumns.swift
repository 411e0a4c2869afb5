/// Measures text as a terminal shows it.
///
/// Source of the wide ranges: Unicode's EastAsianWidth.txt (classes W and F).
enum TextColumns {
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
    0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
    0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x17000...0x18CD5, 0x1B000...0x1B2FB, 0x1F200...0x1F265,
    0x20000...0x3FFFD,
  ]

  /// - Returns: How many columns a character takes: 0, 1 or 2.
  static func count(_ character: Character) -> Int {
    guard let first = character.unicodeScalars.first else { return 0 }
    if first.isASCII, character.unicodeScalars.count == 1 { return 1 }
    switch first.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    if first.properties.isEmojiPresentation || character.unicodeScalars.contains("\u{FE0F}") {
      return 2
    }
    return wide.contains { $0.contains(first.value) } ? 2 : 1
  }

  static func count(_ text: String) -> Int { text.reduce(0) { $0 + count($1) } }

  /// The beginning of a text that fits into so many columns.
  static func prefix(_ text: String, columns: Int) -> String {
    var left = columns
    var end = text.startIndex
    while end < text.endIndex {
      left -= count(text[end])
      guard left >= 0 else { break }
      end = text.index(after: end)
    }
    return String(text[..<end])
  }

  /// Breaks a text into lines at its blanks; a word that is longer than a line is broken where the line ends.
  ///
  /// - Parameters:
  ///   - first: Columns of the first line.
  ///   - others: Columns of each other line. Both count as at least 8.
  static func wrapped(_ text: String, first: Int, others: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    var room: Int { max(lines.isEmpty ? first : others, 8) }
    func end() {
      lines.append(line)
      line = ""
    }
    for word in text.split(separator: " ", omittingEmptySubsequences: false).map(String.init) {
      var word = word
      let joined = line.isEmpty ? word : line + " " + word
      if count(joined) <= room {
        line = joined
        continue
      }
      if !line.isEmpty { end() }
      while count(word) > room {
        let part = prefix(word, columns: room)
        lines.append(part)
        word.removeFirst(part.count)
      }
      line = word
    }
    if !line.isEmpty || lines.isEmpty { end() }
    return lines
  }
}
