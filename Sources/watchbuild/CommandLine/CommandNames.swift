import ArgumentParser
import Basics

/// Looks at the words that name a command, before the argument parser calls them unexpected.
enum CommandNames {
  /// - Throws: `Problem` when there is no such command.
  static func check(_ arguments: [String], of root: any ParsableCommand.Type) throws(Problem) {
    var command = root
    var path = ["watchbuild"]
    for word in arguments {
      let commands = command.configuration.subcommands
      guard !commands.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
      guard let next = commands.first(where: { $0.configuration.commandName == word }) else {
        let names = commands.compactMap(\.configuration.commandName)
        throw Problem(
          "there is no command '\(path.dropFirst().map { "\($0) " }.joined())\(word)'"
            + Suggestion.text(for: word, among: names),
          hint: "see '\(path.joined(separator: " ")) --help'")
      }
      command = next
      path.append(word)
    }
  }
}
