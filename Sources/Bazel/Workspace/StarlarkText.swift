/// The part of a Starlark file that can be told without running it: its string literals, and
/// the calls that they stand in. Comments are passed over.
struct StarlarkText {
  /// A call with the literals among its arguments; calls within it count their literals too.
  struct Call: Hashable {
    /// Without what it is a member of: `register_toolchains` of `native.register_toolchains`.
    var name: String
    /// The literals of arguments without a name, in lists too.
    var positional: [String] = []
    /// The first literal of each argument with a name.
    var named: [String: String] = [:]
    /// All literals.
    var literals: [String] = []
  }

  /// A literal counts for so many of the calls around it, so that brackets without end cost little.
  private static let deepest = 16

  private(set) var literals: [String] = []
  private(set) var calls: [Call] = []

  init(_ text: String) {
    var lexer = Lexer(bytes: Array(text.utf8))
    // Calls that are open, each with the brackets that are open within it and its argument's name.
    var open: [(call: Call, depth: Int, argument: String?)] = []
    var word: String?
    while let token = lexer.next() {
      switch token {
      case .word(let name): word = name
      case .literal(let literal):
        literals.append(literal)
        for index in open.indices.suffix(Self.deepest) {
          open[index].call.literals.append(literal)
          guard index == open.indices.last else { continue }
          if let name = open[index].argument {
            if open[index].call.named[name] == nil { open[index].call.named[name] = literal }
          } else {
            open[index].call.positional.append(literal)
          }
        }
        word = nil
      case .symbol(UInt8(ascii: "(")):
        open.append((Call(name: word ?? ""), 0, nil))
        word = nil
      case .symbol(UInt8(ascii: ")")):
        if let closed = open.popLast(), !closed.call.name.isEmpty { calls.append(closed.call) }
        word = nil
      case .symbol(UInt8(ascii: "=")):
        if let top = open.indices.last, open[top].depth == 0 { open[top].argument = word }
        word = nil
      case .symbol(UInt8(ascii: ",")):
        if let top = open.indices.last, open[top].depth == 0 { open[top].argument = nil }
        word = nil
      case .symbol(let symbol):
        if let top = open.indices.last {
          if "[{".utf8.contains(symbol) { open[top].depth += 1 }
          if "]}".utf8.contains(symbol) { open[top].depth -= 1 }
        }
        word = nil
      }
    }
  }

  /// Bounded work for any bytes: each is looked at a few times at most.
  private struct Lexer {
    enum Token {
      case word(String)
      case literal(String)
      case symbol(UInt8)
    }

    let bytes: [UInt8]
    var position = 0

    mutating func next() -> Token? {
      while position < bytes.count {
        let byte = bytes[position]
        switch byte {
        case UInt8(ascii: "#"): skip(to: UInt8(ascii: "\n"))
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .literal(literal(quote: byte))
        case _ where Self.isWord(byte):
          let start = position
          while position < bytes.count, Self.isWord(bytes[position]) { position += 1 }
          return .word(String(decoding: bytes[start..<position], as: UTF8.self))
        default:
          position += 1
          if byte > 0x20 { return .symbol(byte) }
        }
      }
      return nil
    }

    private mutating func skip(to end: UInt8) {
      while position < bytes.count, bytes[position] != end { position += 1 }
    }

    private mutating func literal(quote: UInt8) -> String {
      let isLong =
        position + 2 < bytes.count && bytes[position + 1] == quote
        && bytes[position + 2] == quote
      position += isLong ? 3 : 1
      var text: [UInt8] = []
      while position < bytes.count {
        let byte = bytes[position]
        if byte == quote {
          guard isLong else { break }
          if bytes[position...].starts(with: [quote, quote, quote]) { break }
        }
        // A literal on one line that does not end there is a mistake of the file's.
        if byte == UInt8(ascii: "\n"), !isLong { break }
        position += 1
        if byte == UInt8(ascii: "\\"), position < bytes.count {
          text.append(bytes[position])
          position += 1
        } else {
          text.append(byte)
        }
      }
      position = min(position + (isLong ? 3 : 1), bytes.count)
      return String(decoding: text, as: UTF8.self)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
        true
      default: false
      }
    }
  }
}
