/// Bytes as they come, cut into lines.
///
/// Lines end at a newline and, for output meant for a terminal, at a carriage return. Empty lines
/// are dropped: programs that redraw their progress write many.
package struct Lines: Sendable {
  /// Longer lines lose their end: no program makes us hold its whole output.
  private let limit: Int
  private let isTerminalOutput: Bool
  private var line: [UInt8] = []

  package init(limit: Int = 64 * 1024, isTerminalOutput: Bool = true) {
    self.limit = limit
    self.isTerminalOutput = isTerminalOutput
  }

  /// Takes bytes and hands out the lines that they complete, without their ends.
  package mutating func add(_ bytes: some Collection<UInt8>) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var rest = bytes[...]
    while let end = rest.firstIndex(where: isEnd) {
      append(rest[..<end])
      take(into: &lines)
      rest = rest[rest.index(after: end)...]
    }
    append(rest)
    return lines
  }

  /// Hands out what stands after the last line's end.
  package mutating func finish() -> [UInt8]? {
    var lines: [[UInt8]] = []
    take(into: &lines)
    return lines.first
  }

  private func isEnd(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "\n") || isTerminalOutput && byte == UInt8(ascii: "\r")
  }

  private mutating func append(_ part: some Collection<UInt8>) {
    line.append(contentsOf: part.prefix(limit - line.count))
  }

  private mutating func take(into lines: inout [[UInt8]]) {
    if !line.isEmpty { lines.append(line) }
    line = []
  }
}

extension Lines {
  /// A line as text: colours and cursor movements removed, what is no UTF-8 replaced.
  package static func text(_ line: [UInt8]) -> String {
    let escape: UInt8 = 0x1b
    guard line.contains(escape) else { return String(decoding: line, as: UTF8.self) }
    var plain: [UInt8] = []
    var rest = line[...]
    while let start = rest.firstIndex(of: escape) {
      plain += rest[..<start]
      rest = rest[start...].dropFirst()
      // A control sequence is ESC [, parameters, and one byte from @ to ~ that ends it.
      // Source: ECMA-48, 5.4
      guard rest.first == UInt8(ascii: "[") else { continue }
      let end = rest.dropFirst().firstIndex { (0x40...0x7e).contains($0) }
      rest = end.map { rest[$0...].dropFirst() } ?? []
    }
    return String(decoding: plain + rest, as: UTF8.self)
  }
}
