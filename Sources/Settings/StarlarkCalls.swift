/// The calls at the top of a Starlark file, such as a Tiltfile: `name(arguments)`, each with its literal arguments.
///
/// Nothing is evaluated. Literals are strings and lists of strings; every other expression is a `.other`.
struct StarlarkCalls: Equatable, Sendable {
  enum Value: Equatable, Sendable {
    case text(String)
    case list([String])
    case other
  }

  struct Call: Equatable, Sendable {
    var function: String
    /// Counted from 1.
    var line: Int
    var positional: [Value] = []
    var named: [String: Value] = [:]

    /// An argument that may be given by place or by name.
    func argument(_ place: Int, _ name: String) -> Value? {
      named[name] ?? (positional.indices.contains(place) ? positional[place] : nil)
    }
  }

  private enum Token: Equatable {
    case word(String)
    case text(String)
    case symbol(Character)
  }

  private(set) var calls: [Call] = []

  init(_ source: String) {
    let tokens = Self.tokens(of: source)
    var index = tokens.startIndex
    while index < tokens.endIndex {
      guard case .word(let name) = tokens[index].token, tokens[index].isFirst,
        index + 1 < tokens.endIndex, tokens[index + 1].token == .symbol("(")
      else {
        index += 1
        continue
      }
      var call = Call(function: name, line: tokens[index].line)
      index += 2
      for argument in Self.arguments(tokens, from: &index) { Self.add(argument, to: &call) }
      calls.append(call)
    }
  }

  private static func add(_ argument: [Token], to call: inout Call) {
    guard case .word(let name) = argument.first, argument.count > 2, argument[1] == .symbol("=")
    else {
      if !argument.isEmpty { call.positional.append(value(argument[...])) }
      return
    }
    call.named[name] = value(argument[2...])
  }

  /// The tokens of each argument, up to the bracket that ends the call.
  private static func arguments(
    _ tokens: [(token: Token, line: Int, isFirst: Bool)], from index: inout Int
  ) -> [[Token]] {
    var arguments: [[Token]] = [[]]
    var depth = 0
    while index < tokens.endIndex {
      let token = tokens[index].token
      index += 1
      switch token {
      case .symbol(")") where depth == 0: return arguments
      case .symbol(",") where depth == 0:
        arguments.append([])
        continue
      case .symbol("("), .symbol("["), .symbol("{"): depth += 1
      case .symbol(")"), .symbol("]"), .symbol("}"): depth -= 1
      default: break
      }
      arguments[arguments.count - 1].append(token)
    }
    return arguments
  }

  private static func value(_ tokens: ArraySlice<Token>) -> Value {
    if let text = text(tokens) { return .text(text) }
    guard tokens.first == .symbol("["), tokens.last == .symbol("]") else { return .other }
    var items: [String] = []
    for part in tokens.dropFirst().dropLast().split(separator: .symbol(",")) {
      guard let item = text(part) else { return .other }
      items.append(item)
    }
    return .list(items)
  }

  /// String literals with `+` between them, or side by side.
  private static func text(_ tokens: ArraySlice<Token>) -> String? {
    var joined: String?
    for token in tokens {
      switch token {
      case .text(let text): joined = (joined ?? "") + text
      case .symbol("+") where joined != nil: break
      default: return nil
      }
    }
    return joined
  }

  // MARK: Tokens

  private static func tokens(
    of source: String
  ) -> [(token: Token, line: Int, isFirst: Bool)] {
    var tokens: [(token: Token, line: Int, isFirst: Bool)] = []
    var rest = Substring(source)
    var line = 1
    var isFirst = true
    while let character = rest.first {
      switch character {
      case "\n", "\r\n":
        rest.removeFirst()
        line += 1
        isFirst = true
        continue
      case "#":
        rest = rest.drop { !$0.isNewline }
        continue
      case "\"", "'":
        let begin = line
        let text = string(&rest, &line)
        tokens.append((.text(text), begin, isFirst))
      case _ where character.isLetter || character == "_":
        let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
        rest.removeFirst(word.count)
        tokens.append((.word(String(word)), line, isFirst))
      case _ where character.isWhitespace:
        rest.removeFirst()
        // What is indented is not at the top.
        isFirst = false
        continue
      default:
        rest.removeFirst()
        tokens.append((.symbol(character), line, isFirst))
      }
      isFirst = false
    }
    return tokens
  }

  /// A literal in quotes, or in three of them; the backslash takes away the next character's meaning.
  private static func string(_ rest: inout Substring, _ line: inout Int) -> String {
    let quote = rest.removeFirst()
    let isLong = rest.prefix(2) == "\(quote)\(quote)"
    if isLong { rest.removeFirst(2) }
    let end = String(repeating: quote, count: isLong ? 3 : 1)
    var text = ""
    while let character = rest.first, !rest.hasPrefix(end) {
      rest.removeFirst()
      if character.isNewline { line += 1 }
      guard character == "\\", let next = rest.first else {
        text.append(character)
        continue
      }
      rest.removeFirst()
      if next.isNewline { line += 1 } else { text.append(next == "n" ? "\n" : next) }
    }
    rest = rest.dropFirst(end.count)
    return text
  }
}
