import Basics
import Yams

/// A YAML file as a tree of values that know their line and column.
///
/// The only place that knows the YAML library.
struct YAMLDocument {
  /// `nil` when the file says nothing: empty, or comments alone.
  var root: YAMLNode?

  /// More values than any real file has: aliases of aliases grow without bound.
  private static let maximumNodeCount = 100_000

  /// Reads the one document in a text; `file` is its name as the user knows it, for messages.
  init(parsing text: String, file: String) throws(Problem) {
    if let refusal = YAMLText(text).refusal {
      throw Problem(
        refusal.message,
        at: Problem.Location(file: file, line: refusal.line, column: refusal.column))
    }
    do {
      let parser = try Parser(yaml: text, encoding: .utf8)
      var remaining = Self.maximumNodeCount
      root = try parser.singleRoot().map { try YAMLNode($0, remaining: &remaining) }
      if case .null = root?.content { root = nil }
    } catch let error as YamlError {
      throw Self.problem(error, text: text, file: file)
    } catch let unseen as UnseenCharacter {
      throw Problem(
        "broken YAML: U+0000 is a character that can't be seen",
        at: Problem.Location(file: file, line: unseen.line, column: unseen.column))
    } catch let excess as TooManyValues {
      throw Problem(
        "too many values", at: Problem.Location(file: file, line: excess.line),
        hint: "use fewer aliases")
    } catch {
      throw Problem("\(error)", at: Problem.Location(file: file, line: 1))
    }
  }

  /// The value as YAML text, keys in the order of the type's properties.
  static func text(encoding value: some Encodable) throws -> String {
    let encoder = YAMLEncoder()
    encoder.options.width = -1
    return try encoder.encode(value)
  }

  private static func problem(_ error: YamlError, text: String, file: String) -> Problem {
    func location(_ mark: Mark) -> Problem.Location {
      Problem.Location(file: file, line: mark.line, column: mark.column)
    }
    switch error {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _):
      let reason =
        context.map { "\(problem) \($0.text) that begins in line \($0.mark.line)" } ?? problem
      return Problem("broken YAML: \(reason)", at: location(mark))
    case .composer(let context, let problem, let mark, _):
      guard context?.text.contains("single document") == true else {
        return Problem("broken YAML: \(problem)", at: location(mark))
      }
      return Problem(
        "a second YAML document begins here, and only one is read", at: location(mark),
        hint: "remove the '---' or merge the two")
    case .duplicatedKeysInMapping(let keys, let context):
      let names = keys.map { "'\($0)'" }.joined(separator: ", ")
      return Problem(
        "key \(names) is given more than once", at: location(context.mark), hint: "keep one")
    case .reader(let problem, let offset, _, _):
      let before = text.prefix(offset ?? 0)
      let line = before.count { $0.isNewline } + 1
      return Problem("broken YAML: \(problem)", at: Problem.Location(file: file, line: line))
    default:
      return Problem("broken YAML: \(error)", at: Problem.Location(file: file, line: 1))
    }
  }
}

/// One value of a YAML file.
struct YAMLNode: Equatable, Sendable {
  indirect enum Content: Equatable, Sendable {
    case null
    /// The value of `true`, `yes` and their kin without quotes.
    case boolean(Bool, text: String)
    /// A number without quotes.
    case number(text: String)
    case text(String)
    case sequence([YAMLNode])
    case mapping([(key: YAMLNode, value: YAMLNode)])

    static func == (left: Content, right: Content) -> Bool {
      switch (left, right) {
      case (.null, .null): true
      case (.boolean(let left, _), .boolean(let right, _)): left == right
      case (.number(let left), .number(let right)), (.text(let left), .text(let right)):
        left == right
      case (.sequence(let left), .sequence(let right)): left == right
      case (.mapping(let left), .mapping(let right)):
        left.elementsEqual(right) { $0.key == $1.key && $0.value == $1.value }
      default: false
      }
    }
  }

  var content: Content
  /// From 1.
  var line: Int
  /// From 1, in Unicode scalars.
  var column: Int
}

private struct TooManyValues: Error {
  var line: Int
}

/// Written as an escape: `"\0"`.
private struct UnseenCharacter: Error {
  var line: Int
  var column: Int
}

extension YAMLNode {
  fileprivate init(_ node: Node, remaining: inout Int) throws {
    line = node.mark?.line ?? 1
    column = node.mark?.column ?? 1
    remaining -= 1
    guard remaining > 0 else { throw TooManyValues(line: line) }
    switch node {
    case .scalar(let scalar):
      if scalar.string.unicodeScalars.contains("\0") {
        throw UnseenCharacter(line: line, column: column)
      }
      content = Self.content(of: node, scalar)
    case .sequence(let sequence):
      var elements: [YAMLNode] = []
      for element in sequence { elements.append(try YAMLNode(element, remaining: &remaining)) }
      content = .sequence(elements)
    case .mapping(let mapping):
      var pairs: [(key: YAMLNode, value: YAMLNode)] = []
      for (key, value) in mapping {
        let key = try YAMLNode(key, remaining: &remaining)
        pairs.append((key, try YAMLNode(value, remaining: &remaining)))
      }
      content = .mapping(pairs)
    // The parser puts the value in an alias's place; only its encoder makes these.
    case .alias: content = .null
    }
  }

  private static func content(of node: Node, _ scalar: Node.Scalar) -> Content {
    switch node.tag {
    case Tag(.null): .null
    case Tag(.bool): .boolean(node.bool ?? false, text: scalar.string)
    case Tag(.int), Tag(.float): .number(text: scalar.string)
    default: .text(scalar.string)
    }
  }
}
