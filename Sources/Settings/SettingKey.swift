package import Basics
package import SystemPackage

/// One setting: where each source of settings says it, what it is without any, and when a change counts.
///
/// A new setting is one property of `SettingKeys` and one line in `SettingKeys.all`. The configuration's reader and
/// printer, its schema, the environment, suggestions for misspelt names and what takes effect when watchbuild is
/// started again all follow from it. A setting with an option has its property wrapper in `watchbuild`, too.
package struct SettingKey<Value: Equatable & Sendable>: Sendable {
  /// When a change of the configuration file counts.
  package enum Application: Sendable {
    case nextCycle
    case restart
  }

  /// An environment variable, and how its text is read.
  struct Variable: Sendable {
    var name: String
    /// Reads its text; `nil`: it says nothing.
    var parse: @Sendable (String, FilePath) throws(InvalidValue) -> Value?
  }

  /// The property's name, by which the sources' values are kept.
  let name: String
  /// Where the file has it, such as `batch.debounce`; `nil`: the file does not.
  let place: String?
  let kind: SettingKind<Value>
  let initial: Value
  /// The first that is set counts.
  let variables: [Variable]
  /// The words that an editor shows beside the key; `nil`: none.
  let description: String?
  let application: Application
  /// The option's help, with its default.
  package let help: String
  /// The name of the value in the option's help.
  package let valueName: String

  /// - Parameters:
  ///   - name: The name of the property that makes this key.
  ///   - place: A section and a key of the file, such as `batch.debounce`.
  ///   - option: The option's long name without its dashes, by which its variable is named; `nil`: none.
  ///   - valueName: What the option's help calls the value.
  ///   - help: What the option's help says; its default is added.
  ///   - shownDefault: The default as the help has it, where that is more than one value.
  ///   - description: What the schema of the file says.
  ///   - variables: Where the environment says it otherwise than by the option's variable.
  init(
    _ name: String, at place: String? = nil, option: String? = nil, _ kind: SettingKind<Value>,
    default initial: Value, valueName: String = "", help: String = "", shownDefault: String? = nil,
    description: String? = nil, variables: [Variable]? = nil,
    applies application: Application = .restart
  ) {
    self.name = name
    self.place = place
    self.kind = kind
    self.initial = initial
    self.variables =
      variables ?? option.map {
        [Variable(name: EnvironmentNames.variable(for: $0), parse: kind.parse)]
      } ?? []
    self.description = description
    self.application = application
    self.help = "\(help) (default: \(shownDefault ?? kind.printed(initial).text))"
    self.valueName = valueName
  }

  /// Reads the value of an option.
  ///
  /// - Parameter base: What a relative path is relative to.
  package func parse(_ text: String, relativeTo base: FilePath) throws(InvalidValue) -> Value {
    try kind.parse(text, base)
  }
}
