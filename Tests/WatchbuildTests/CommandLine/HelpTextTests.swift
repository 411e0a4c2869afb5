import ArgumentParser
import Testing

@testable import watchbuild

struct HelpTextTests {
  /// The names of all commands, `""` for the program itself.
  private static func commands() throws -> [String] {
    func names(_ tree: CommandTree, _ path: [String]) -> [String] {
      [path.joined(separator: " ")]
        + (tree.subcommands ?? []).filter { $0.commandName != "help" }
        .flatMap { names($0, path + [$0.commandName]) }
    }
    return names(try CommandTree(of: Watchbuild.self), [])
  }

  private func help(_ command: String) throws -> [Substring] {
    let words = command.split(separator: " ").map(String.init) + ["--help"]
    let error = try #require(throws: (any Error).self) {
      // The parser answers with a command that throws the help.
      var parsed = try Watchbuild.parseAsRoot(words)
      try parsed.run()
    }
    return try #require(Ending.of(error).standardOutput)
      .split(separator: "\n", omittingEmptySubsequences: false)
  }

  @Test(arguments: try commands())
  func `the help of a command has examples and fits 80 columns`(command: String) throws {
    let lines = try help(command)
    #expect(lines.contains("EXAMPLES:"), "no example in HelpExamples.lines")
    #expect(lines.filter { $0.count > 80 } == [])
    #expect(lines.contains { $0.hasPrefix("USAGE: watchbuild") })
  }

  @Test(arguments: try commands())
  func `examples are command lines that are understood`(command: String) throws {
    for line in HelpExamples.lines[command] ?? [] {
      var words = line.split(separator: " ").map(String.init)
      #expect(words.removeFirst() == "watchbuild")
      #expect(words.joined(separator: " ").hasPrefix(command))
      let command = words.prefix { $0 != ">" }
      if command.first != "help" { _ = try Watchbuild.parseAsRoot(Array(command)) }
    }
  }

  @Test func `a long usage is folded between arguments`() {
    let option = "[--option-with-a-long-name <value>]"
    let text = HelpText.complete(
      "USAGE: watchbuild frob \(option) \(option) [<a> ...]\n\nOPTIONS:\n  -h")
    #expect(
      text == """
        USAGE: watchbuild frob \(option)
                 \(option) [<a> ...]

        OPTIONS:
          -h
        """)
  }

  @Test func `what is no help stays as it is`() {
    #expect(HelpText.complete("1.2.3") == "1.2.3")
  }
}
