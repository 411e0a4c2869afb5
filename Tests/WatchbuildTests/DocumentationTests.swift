import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import watchbuild

/// README and the pages of `docs/`: what they show is understood.
struct DocumentationTests {
  /// A fenced block of a page.
  struct Block: CustomTestStringConvertible, Sendable {
    var page: String
    var line: Int
    var language: String
    var text: [String]

    var testDescription: String { "\(page):\(line)" }
  }

  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static func pages() throws -> [String] {
    let docs = try FileManager.default.contentsOfDirectory(
      atPath: root.appendingPathComponent("docs").path)
    return ["README.md", "SECURITY.md"]
      + docs.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
  }

  private static func lines(_ page: String) throws -> [String] {
    try String(contentsOf: root.appendingPathComponent(page), encoding: .utf8)
      .components(separatedBy: "\n")
  }

  private static func blocks() throws -> [Block] {
    try pages().flatMap { page in
      var blocks: [Block] = []
      var open: Block?
      for (number, line) in try lines(page).enumerated() {
        if line.hasPrefix("```") {
          if let block = open { blocks.append(block) }
          open =
            open == nil
            ? Block(page: page, line: number + 1, language: String(line.dropFirst(3)), text: [])
            : nil
        } else {
          open?.text.append(line)
        }
      }
      #expect(open == nil, "\(page): a block has no end")
      return blocks
    }
  }

  /// The command lines of watchbuild in a block, without what a shell takes away.
  private static func commands(_ block: Block) -> [[String]] {
    var commands: [[String]] = []
    for line in block.text {
      let code = line.components(separatedBy: " # ")[0]
      for part in code.components(separatedBy: " && ").flatMap({ $0.components(separatedBy: "; ") })
      {
        if let words = arguments(part) { commands.append(words) }
      }
    }
    return commands
  }

  /// - Returns: `nil` for what is no command line of watchbuild.
  private static func arguments(_ part: String) -> [String]? {
    var words = part.split(separator: " ").map(String.init)
    if words.first == "$" { words.removeFirst() }
    // The first line of `dev` begins with the name, too.
    guard words.first == "watchbuild", words.count > 1, words[1] != "help",
      words[1].first?.isNumber == false
    else { return nil }
    let quotes = CharacterSet(charactersIn: "'\"")
    return words.dropFirst().prefix { ![">", "|", "&"].contains($0) }
      .map { $0.trimmingCharacters(in: quotes) }
  }

  @Test func `README is short`() throws {
    #expect(try Self.lines("README.md").count <= 151)
  }

  @Test(arguments: try blocks().filter { $0.language == "yaml" })
  func `a configuration is one that is accepted`(block: Block) throws {
    let scratch = try TemporaryDirectory()
    try scratch.write("", to: "MODULE.bazel")
    try scratch.write(block.text.joined(separator: "\n"), to: "watchbuild.yaml")
    _ = try TestCommand.settings([], in: scratch.path)
  }

  @Test(arguments: try blocks().filter { $0.language.isEmpty && !commands($0).isEmpty })
  func `a command line is one that is understood`(block: Block) throws {
    for words in Self.commands(block) { _ = try Watchbuild.parseAsRoot(words) }
  }

  @Test(arguments: try pages())
  func `a link leads somewhere`(page: String) throws {
    let text = try Self.lines(page).joined(separator: "\n")
    let directory = Self.root.appendingPathComponent(page).deletingLastPathComponent()
    for match in text.matches(of: /\]\(([^)#:\s]+)(#[^)]*)?\)/) {
      let target = directory.appendingPathComponent(String(match.1)).path
      #expect(FileManager.default.fileExists(atPath: target), "\(page): \(match.1)")
    }
  }

  @Test(arguments: try pages())
  func `lines of prose fit 120 columns`(page: String) throws {
    var isBlock = false
    for line in try Self.lines(page) {
      if line.hasPrefix("```") { isBlock.toggle() }
      // A row of a table can't be broken.
      if !isBlock, !line.hasPrefix("|") { #expect(line.count <= 120, "\(line)") }
    }
  }

  @Test func `each test that SECURITY names is there`() throws {
    let tests = Self.root.appendingPathComponent("Tests")
    var suites: Set<String> = []
    let files = try #require(
      FileManager.default.enumerator(at: tests, includingPropertiesForKeys: nil))
    for case let file as URL in files where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: /struct (\w+Tests)\b/) { suites.insert(String(match.1)) }
    }
    let text = try Self.lines("SECURITY.md").joined(separator: "\n")
    let named = Set(text.matches(of: /`(\w+Tests)`/).map { String($0.1) })
    #expect(named.count > 10)
    #expect(named.subtracting(suites).isEmpty)
  }
}
