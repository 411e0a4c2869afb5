import Basics
import Runtimes
import SystemPackage

/// The way to write the values of a setting: in options and variables, in the file, and in its schema.
struct SettingKind<Value: Equatable & Sendable>: Sendable {
  /// Reads a text; a relative path is relative to the second parameter.
  typealias Parse = @Sendable (String, FilePath) throws(InvalidValue) -> Value

  /// Reads an option's or a variable's text.
  let parse: Parse
  /// Reads what the file says, and tells the reader of mistakes.
  let read: @Sendable (inout ConfigurationReader, YAMLNode) -> Value?
  let printed: @Sendable (Value) -> PrintedValue
  /// The constraints of a JSON Schema, without braces.
  let schema: String
}

extension SettingKind {
  /// A text without quotes or with them, but no number or truth value.
  static func text(
    schema: String, printed: @escaping @Sendable (Value) -> String, parse: @escaping Parse
  ) -> SettingKind {
    SettingKind(
      parse: parse,
      read: { reader, node in
        let base = reader.directory
        return reader.value(node) { text throws(InvalidValue) in try parse(text, base) }
      }, printed: { .text(printed($0)) }, schema: schema)
  }

  /// A setting that the file does not have.
  static func unfiled(
    _ parse: @escaping Parse, printed: @escaping @Sendable (Value) -> String
  ) -> SettingKind {
    text(schema: "", printed: printed, parse: parse)
  }
}

extension SettingKind where Value: RawRepresentable<String> & CaseIterable {
  /// One of the words of an enumeration.
  static var choice: SettingKind {
    let words = Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    return text(
      schema: #""type": "string", "enum": [\#(words)]"#, printed: \.rawValue,
      parse: { text, _ throws(InvalidValue) in try SettingText.choice(text) })
  }
}

extension SettingKind<Duration> {
  static var duration: SettingKind { duration(SettingText.duration) }

  /// - Parameter parse: Refuses durations that make no sense.
  static func duration(
    _ parse: @escaping @Sendable (String) throws(InvalidValue) -> Duration
  ) -> SettingKind {
    text(
      schema: ##""$ref": "#/$defs/duration""##, printed: { DurationText.text($0) },
      parse: { text, _ throws(InvalidValue) in try parse(text) })
  }
}

extension SettingKind<Int> {
  /// A number without quotes.
  ///
  /// - Parameter schema: The numbers that `parse` takes.
  static func number(
    schema: String, _ parse: @escaping @Sendable (String) throws(InvalidValue) -> Int
  ) -> SettingKind {
    SettingKind(
      parse: { text, _ throws(InvalidValue) in try parse(text) },
      read: { reader, node in reader.number(node, parse) }, printed: { .number($0) },
      schema: #""type": "integer", "# + schema)
  }
}

extension SettingKind<Bool> {
  static var boolean: SettingKind {
    SettingKind(
      parse: { text, _ throws(InvalidValue) in try SettingText.boolean(text) },
      read: { reader, node in reader.boolean(node) }, printed: { .boolean($0) },
      schema: #""type": "boolean""#)
  }
}

extension SettingKind<[String]> {
  /// A list that only the file has.
  static func list(
    schema: String, _ parse: @escaping @Sendable (String) throws(InvalidValue) -> String
  ) -> SettingKind {
    SettingKind(
      parse: { text, _ throws(InvalidValue) in [try parse(text)] },
      read: { reader, node in reader.list(node, parse) }, printed: { .list($0) }, schema: schema)
  }
}

extension SettingKind<[RuntimeChoice]> {
  /// The places that `--load` names, parted by commas in a variable. An empty list says nothing.
  static var loadTargets: SettingKind {
    SettingKind(
      parse: { text, base throws(InvalidValue) in
        let names = text.split(separator: ",").map { String($0.drop { $0 == " " }) }
        return try LoadTargetText.parse(list: names, relativeTo: base)
      },
      read: { reader, node in
        let base = reader.directory
        let targets = reader.list(node) { text throws(InvalidValue) in
          try LoadTargetText.parse(text, relativeTo: base)
        }
        do {
          return targets.isEmpty ? nil : try LoadTargetText.checked(targets)
        } catch {
          reader.refuse("\(error)", at: node)
          return nil
        }
      }, printed: { .list($0.map(\.description)) }, schema: LoadTargetText.schema)
  }
}
