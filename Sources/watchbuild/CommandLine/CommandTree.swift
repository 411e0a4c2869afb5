import ArgumentParser
import FoundationEssentials

/// The commands and their options, as the argument parser describes them.
struct CommandTree: Decodable, Sendable {
  struct Name: Decodable, Sendable {
    var kind: String
    var name: String
  }

  struct Argument: Decodable, Sendable {
    /// `positional`, `option` or `flag`.
    var kind: String
    var isRepeating: Bool
    var isOptional: Bool?
    var names: [Name]?
    var valueName: String?
    var abstract: String?
    var shouldDisplay: Bool?

    /// All that it can be called by: `-C`, `--directory`.
    var spellings: [String] {
      (names ?? []).map { ($0.kind == "short" ? "-" : "--") + $0.name }
    }

    /// As they are written: `--max-delay`.
    var longNames: [String] {
      (names ?? []).filter { $0.kind == "long" }.map { "--\($0.name)" }
    }
  }

  private struct Description: Decodable {
    var command: CommandTree
  }

  var commandName: String
  var abstract: String?
  var discussion: String?
  var shouldDisplay: Bool?
  var subcommands: [CommandTree]?
  var arguments: [Argument]?

  /// The tree below a command.
  init(of command: any ParsableCommand.Type) throws {
    self = try JSONDecoder().decode(
      Description.self, from: Data(command._dumpHelp().utf8)
    ).command
  }

  /// Options and flags with a long name, `--help` and `--version` left out.
  var options: [Argument] {
    (arguments ?? []).filter { argument in
      argument.kind != "positional"
        && !argument.longNames.allSatisfy { ["--help", "--version"].contains($0) }
    }
  }

  /// The options of this command and of all below it.
  var allOptions: [Argument] { options + (subcommands ?? []).flatMap(\.allOptions) }

  /// The command that a command line names: the last one of `config print`.
  func command(named arguments: [String]) -> CommandTree {
    guard let word = arguments.first,
      let next = subcommands?.first(where: { $0.commandName == word })
    else { return self }
    return next.command(named: Array(arguments.dropFirst()))
  }
}
