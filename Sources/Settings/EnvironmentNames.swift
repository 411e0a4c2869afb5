package import Basics

/// The names of the environment variables that watchbuild reads.
///
/// Every option has one. Those named here are read where settings are merged; the variable of any
/// other option stands for the option itself.
package enum EnvironmentNames {
  package static let prefix = "WATCHBUILD_"

  /// The variables that are settings, and those that are needed before settings can be read.
  package static let settings = names("DIRECTORY", "FILE", "LOG", "PROFILE_NAME")
    .union(SettingKeys.all.flatMap(\.variables).filter { $0.hasPrefix(prefix) })

  /// The variables that hooks and rollouts are given, which may run watchbuild themselves.
  private static let given = names(
    "CYCLE", "DIGEST", "ID", "IMAGE", "IMAGES", "REF", "STAGE", "SUMMARY")

  /// The variable of an option: `--max-delay` has `WATCHBUILD_MAX_DELAY`.
  package static func variable(for option: String) -> String {
    prefix + option.drop { $0 == "-" }.uppercased().replacing("-", with: "_")
  }

  /// The variables that are set and are no settings, in the order of their names.
  ///
  /// A variable that is set to nothing counts as not set.
  package static func others(in environment: [String: String]) -> [String] {
    environment.filter { name, value in
      name.hasPrefix(prefix) && !value.isEmpty && !settings.contains(name) && !given.contains(name)
    }.keys.sorted()
  }

  /// Says that nothing reads a variable.
  ///
  /// - Parameter options: The variables of all options.
  package static func problem(of name: String, options: Set<String>) -> Problem {
    let known = settings.union(options).sorted()
    return Problem(
      "unknown environment variable \(name)" + Suggestion.text(for: name, among: known),
      hint: "correct it or unset it")
  }

  private static func names(_ names: String...) -> Set<String> { Set(names.map { prefix + $0 }) }
}
