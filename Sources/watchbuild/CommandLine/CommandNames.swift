import ArgumentParser
import Basics

/// Looks at the words that name a command, before the argument parser calls them unexpected.
enum CommandNames {
  /// - Parameter root: The program's own command.
  /// - Throws: `Problem` when there is no such command.
  static func check(_ arguments: [String], of root: CommandConfiguration) throws(Problem) {
    var configuration = root
    var path = ["watchbuild"]
    for word in arguments {
      let commands = Self.commands(below: configuration)
      guard !commands.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
      guard let next = commands.first(where: { $0.commandName == word }) else {
        throw Problem(
          "there is no command '\(path.dropFirst().map { "\($0) " }.joined())\(word)'"
            + Suggestion.text(for: word, among: commands.compactMap(\.commandName)),
          hint: "see '\(path.joined(separator: " ")) --help'")
      }
      configuration = next
      path.append(word)
    }
  }

  // Apart from the function above: Swift 6.3.1 crashes on a type of any command in one with typed throws.
  private static func commands(below configuration: CommandConfiguration) -> [CommandConfiguration]
  {
    configuration.subcommands.map { $0.configuration }
  }
}
