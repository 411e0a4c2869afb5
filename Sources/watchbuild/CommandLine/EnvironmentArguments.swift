import Basics
import Settings

/// Options given by the environment that are no settings: `WATCHBUILD_DRY_RUN=1` is `--dry-run`.
struct EnvironmentArguments {
  var environment: [String: String]
  /// All commands; asked for only where such a variable is set.
  var commands: () throws -> CommandTree

  /// The command line with the options that the environment gives to its command.
  ///
  /// An option on the command line goes before its variable. A variable of another command's option
  /// does nothing.
  /// - Throws: `Problem` when no option has a variable's name, or its value is none.
  func added(to arguments: [String]) throws -> [String] {
    let variables = EnvironmentNames.others(in: environment)
    let terminator = arguments.firstIndex(of: "--") ?? arguments.endIndex
    let own = arguments[..<terminator]
    guard !variables.isEmpty, own.first.map({ !$0.hasPrefix("-") && $0 != "help" }) ?? false,
      !own.contains("--help"), !own.contains("-h")
    else { return arguments }
    let tree = try commands()
    let known = Set(tree.allOptions.flatMap(\.longNames).map(EnvironmentNames.variable))
    for name in variables where !known.contains(name) {
      throw EnvironmentNames.problem(of: name, options: known)
    }
    var added: [String] = []
    for option in tree.command(named: arguments).options {
      let names = option.longNames
      guard
        !own.contains(where: { word in names.contains { word == $0 || word.hasPrefix("\($0)=") } })
      else { continue }
      for name in names { added += try words(for: name, option) }
    }
    return own + added + arguments[terminator...]
  }

  private func words(for name: String, _ option: CommandTree.Argument) throws -> [String] {
    let variable = EnvironmentNames.variable(for: name)
    guard !EnvironmentNames.settings.contains(variable), let value = environment[variable],
      !value.isEmpty
    else { return [] }
    guard option.kind == "flag" else {
      let values = option.isRepeating ? value.split(separator: ",").map(String.init) : [value]
      return values.flatMap { [name, $0] }
    }
    do {
      return try SettingText.boolean(value) ? [name] : []
    } catch {
      throw Problem(
        "environment variable \(variable)=\(value): \(error)", hint: "correct it or unset it")
    }
  }
}
