import Basics
import SystemPackage

/// A setting without the type of its value, for what goes through all settings.
struct KnownSetting: Sendable {
  /// The file's section that it stands in, and its key there.
  let place: (section: String, key: String)?
  /// The environment variables that say it.
  let variables: [String]
  /// Its property in the schema of the file.
  let schema: String
  let isAppliedAtOnce: Bool
  private let readNode: @Sendable (inout ConfigurationReader, YAMLNode, inout SettingValues) -> Void
  private let readVariables:
    @Sendable (EnvironmentSettings, inout SettingValues) throws(Problem) -> Void
  private let setDefault: @Sendable (inout SettingValues) -> Void
  private let print: @Sendable (SettingValues) -> PrintedValue
  private let compare: @Sendable (SettingValues, SettingValues) -> Bool

  init<Value>(_ path: KeyPath<SettingKeys, SettingKey<Value>>) {
    let key = SettingKeys()[keyPath: path]
    let parts = key.place?.split(separator: ".").map(String.init) ?? []
    place = parts.count == 2 ? (parts[0], parts[1]) : nil
    variables = key.variables.map(\.name)
    schema =
      "{\(key.kind.schema)" + (key.description.map { #", "description": "\#($0)""# } ?? "") + "}"
    isAppliedAtOnce = key.application == .nextCycle
    readNode = { reader, node, values in values[key] = key.kind.read(&reader, node) }
    readVariables = { variables, values throws(Problem) in
      for variable in key.variables {
        let value = try variables.value(of: variable.name) { text throws(InvalidValue) in
          try variable.parse(text, variables.directory)
        }
        if values[key] == nil { values[key] = value }
      }
    }
    setDefault = { values in values[key] = key.initial }
    print = { values in key.kind.printed(values[key] ?? key.initial) }
    compare = { left, right in left[key] == right[key] }
  }

  /// Takes over what the file says.
  func read(
    _ node: YAMLNode?, by reader: inout ConfigurationReader, into values: inout SettingValues
  ) {
    if let node { readNode(&reader, node, &values) }
  }

  /// Takes over what the environment says.
  func read(_ variables: EnvironmentSettings, into values: inout SettingValues) throws(Problem) {
    try readVariables(variables, &values)
  }

  func reset(_ values: inout SettingValues) { setDefault(&values) }

  func printed(_ values: SettingValues) -> PrintedValue { print(values) }

  func isEqual(_ left: SettingValues, _ right: SettingValues) -> Bool { compare(left, right) }
}
