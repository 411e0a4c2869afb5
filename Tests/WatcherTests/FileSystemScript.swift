import Glibc
import SystemPackage
import TestSupport

@testable import Watcher

/// A file-system case: shell commands, and the changes that they must be reported as.
///
/// One text file in `Scripts/` is one case; adding a file adds a test. The language, by line:
///
///     # …              a comment; the first says what the case shows
///     needs TOOL       only where the program is installed (always with CI=true)
///     ignore PATTERN   a pattern of the configuration's `watch: ignore`
///     bazelignore PATH a line of `.bazelignore`
///     needed PATH      a file or directory that images are made from whatever `.bazelignore` says
///     tree PATH        the scope is these trees (default: all below the root)
///     directory PATH   … and these single directories; absolute or relative
///     given            commands that follow run before the watcher starts
///     when             … run while it watches, as one shell script
///     then             what must have been reported since the last `then`, no more and no less:
///       created PATH     \xNN stands for a byte
///       modified PATH
///       deleted PATH
///       maybe KIND PATH  may be reported
///       either KIND KIND PATH   one of the two
///
/// Commands are indented lines and run in the root, a directory named `root` with nothing in it,
/// under `sh -e`. What lies beside the root is `..`.
struct FileSystemScript {
  enum Step {
    case run(String)
    case expect([Expectation])
  }

  struct Expectation {
    var kinds: [String]
    var path: String
    var isRequired: Bool
  }

  struct SyntaxError: Error, CustomStringConvertible {
    var description: String
  }

  let name: String
  private(set) var tools: [String] = []
  private(set) var patterns: [String] = []
  private(set) var bazelIgnore: [String] = []
  private(set) var needed: [String] = []
  private(set) var trees: [String] = []
  private(set) var directories: [String] = []
  private(set) var preparation = ""
  private(set) var steps: [Step] = []

  init(name: String, text: String) throws {
    self.name = name
    var section = ""
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let words = line.split(separator: " ").map(String.init)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      if line.hasPrefix(" ") {
        try add(String(line.drop { $0 == " " }), words, to: section, at: number + 1)
        continue
      }
      let argument = words.dropFirst().joined(separator: " ")
      switch first {
      case "needs": tools.append(argument)
      case "ignore": patterns.append(argument)
      case "bazelignore": bazelIgnore.append(argument)
      case "needed": needed.append(argument)
      case "tree": trees.append(argument)
      case "directory": directories.append(argument)
      case "given", "when", "then":
        section = first
        if first == "when" { steps.append(.run("")) }
        if first == "then" { steps.append(.expect([])) }
      default:
        throw SyntaxError(description: "\(name):\(number + 1): unknown word '\(first)'")
      }
    }
  }

  private mutating func add(
    _ line: String, _ words: [String], to section: String, at number: Int
  ) throws {
    switch (section, steps.last) {
    case ("given", _): preparation += line + "\n"
    case ("when", .run(let commands)?): steps[steps.count - 1] = .run(commands + line + "\n")
    case ("then", .expect(let expectations)?):
      guard let expectation = Self.expectation(words) else {
        throw SyntaxError(description: "\(name):\(number): no expectation: '\(line)'")
      }
      steps[steps.count - 1] = .expect(expectations + [expectation])
    default:
      throw SyntaxError(description: "\(name):\(number): a line outside of given, when and then")
    }
  }

  private static func expectation(_ words: [String]) -> Expectation? {
    let kinds = ["created", "modified", "deleted"]
    let (isRequired, count) =
      switch words.first {
      case "maybe": (false, 1)
      case "either": (true, 2)
      default: (true, 1)
      }
    let rest = ["maybe", "either"].contains(words[0]) ? words.dropFirst() : words[...]
    let named = Array(rest.prefix(count))
    let path = rest.dropFirst(count).joined(separator: " ")
    guard named.count == count, named.allSatisfy(kinds.contains), !path.isEmpty else { return nil }
    return Expectation(kinds: named, path: path, isRequired: isRequired)
  }

  func scope(root: FilePath) -> WatchScope {
    func resolved(_ paths: [String]) -> Set<FilePath> {
      Set(paths.map { root.pushing(FilePath($0)).lexicallyNormalized() })
    }
    return WatchScope(
      root: root,
      ignore: IgnoreRules(
        root: root, bazelIgnore: bazelIgnore, patterns: patterns, needed: resolved(needed)),
      trees: trees.isEmpty ? nil : resolved(trees), directories: resolved(directories))
  }

  /// The first tool that is not on `PATH`.
  var missingTool: String? {
    tools.first { tool in
      let path = getenv("PATH").map { String(cString: $0) } ?? ""
      return !path.split(separator: ":").contains { access("\($0)/\(tool)", X_OK) == 0 }
    }
  }

  /// What is wrong about what was reported; empty when nothing is.
  static func mistakes(in changes: [String], against expected: [Expectation]) -> [String] {
    var rest = changes
    var mistakes: [String] = []
    for expectation in expected {
      let position = rest.firstIndex { change in
        expectation.kinds.contains { change == "\($0) \(expectation.path)" }
      }
      if let position {
        rest.remove(at: position)
      } else if expectation.isRequired {
        mistakes.append("not reported: \(expectation.kinds[0]) \(expectation.path)")
      }
    }
    return mistakes + rest.map { "not expected: \($0)" }
  }
}

extension FileSystemScript: CustomStringConvertible {
  var description: String { name }

  /// All cases, by name.
  static let all: [FileSystemScript] = {
    let here = FilePath(#filePath).removingLastComponent().appending("Scripts")
    var names: [String] = []
    _ = here.withPlatformString { path in
      DirectoryListing.read(path) { _, name, _ in
        let name = String(decoding: name, as: UTF8.self)
        if name.hasSuffix(".txt") { names.append(name) }
      }
    }
    return names.sorted().map { name in
      do {
        let file = try FileDescriptor.open(here.appending(name), .readOnly)
        let text = try file.closeAfter {
          var bytes = [UInt8](repeating: 0, count: 65_536)
          let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
          return String(decoding: bytes[..<count], as: UTF8.self)
        }
        return try FileSystemScript(name: String(name.dropLast(4)), text: text)
      } catch {
        preconditionFailure("a file-system script can't be read: \(error)")
      }
    }
  }()
}
