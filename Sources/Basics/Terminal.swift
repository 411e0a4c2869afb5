import Glibc

/// Facts about terminals, and text that may be written to one.
package enum Terminal {
  /// Tells whether the file behind a descriptor is a terminal.
  package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Moves to the start of the line and erases it.
  package static let clearLine = "\r\u{1B}[K"

  /// Empties the screen, and leaves what has been scrolled off it.
  package static let clearScreen = "\u{1B}[H\u{1B}[2J"

  /// In columns; the usual 80 where the terminal does not say.
  package static func width(_ descriptor: Int32) -> Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 1 else { return 80 }
    return Int(size.ws_col)
  }

  /// In rows; the usual 24 where the terminal does not say.
  package static func height(_ descriptor: Int32) -> Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return 24 }
    return Int(size.ws_row)
  }

  /// Text in which nothing can move the cursor, recolour the screen or reorder what is read.
  ///
  /// File names and compiler messages may hold anything: `UnsafeText` is written as Swift would
  /// write it in a literal.
  package static func escaped(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: UnsafeText.contains) else { return text }
    var safe = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": safe += "\\n"
      case "\r": safe += "\\r"
      case "\t": safe += "\\t"
      case _ where UnsafeText.contains(scalar):
        safe += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
      default: safe.unicodeScalars.append(scalar)
      }
    }
    return safe
  }
}
