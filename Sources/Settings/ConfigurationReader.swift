import Basics
import SystemPackage

/// Reads `watchbuild.yaml`, and says of every mistake where it stands.
struct ConfigurationReader {
  /// The file's name as the user knows it, for messages.
  let file: String
  /// The directory of the file: what paths in it are relative to.
  let directory: FilePath
  private(set) var problems: [Problem] = []

  /// - Parameter profile: The profile that is merged over the rest; `nil`: none. All others are read
  ///   too, so that a mistake in one is found before the day it is needed.
  /// - Throws: The first mistake, with all others in `others`.
  static func read(
    _ text: String, file: String, directory: FilePath, profile: String? = nil
  ) throws(Problem) -> Configuration {
    let document = try YAMLDocument(parsing: text, file: file)
    let profiles = ConfigurationProfiles(of: document.root)
    var reader = ConfigurationReader(file: file, directory: directory)
    for mistake in profiles.mistakes {
      reader.refuse(mistake.message, at: mistake.node, hint: mistake.hint)
    }
    for name in profiles.names where name != profile {
      _ = reader.configuration(profiles.merged(name))
    }
    let rest = reader.configuration(profiles.merged(nil))
    let configuration = profile == nil ? rest : reader.configuration(profiles.merged(profile))
    var told: [Problem] = []
    // A mistake of the rest is one of every profile that does not mend it.
    for problem in reader.problems where !told.contains(problem) { told.append(problem) }
    if let profile, !profiles.names.contains(profile) {
      told.append(Problem.unknownProfile(profile, in: file, names: profiles.names))
    }
    let mistakes = told.sorted { left, right in
      (left.location?.line ?? 0, left.location?.column ?? 0)
        < (right.location?.line ?? 0, right.location?.column ?? 0)
    }
    guard var first = mistakes.first else { return configuration }
    first.others = Array(mistakes.dropFirst())
    throw first
  }

  private init(file: String, directory: FilePath) {
    self.file = file
    self.directory = directory
  }

  private mutating func configuration(_ root: YAMLNode?) -> Configuration {
    var configuration = Configuration()
    guard let root else { return configuration }
    let top = mapping(
      root, keys: SettingKeys.sections + ["images", "rollout", "hooks"], later: ["profiles"])
    for section in SettingKeys.sections {
      guard let node = top[section] else { continue }
      let settings = SettingKeys.settings(of: section)
      let values = mapping(node, keys: settings.map(\.key))
      for (key, setting) in settings {
        setting.read(values[key], by: &self, into: &configuration.layer.values)
      }
    }
    if let node = top["rollout"] { configuration.rollout = rolloutRule(node) }
    if let node = top["hooks"] { configuration.hooks = hooks(node) }
    if let node = top["images"] {
      var images = ImagesReader(reader: self)
      configuration.images = images.entries(node)
      problems = images.reader.problems
      checkHooks(top["hooks"], configuration)
    }
    return configuration
  }
}

// MARK: - Values

extension ConfigurationReader {
  mutating func refuse(_ message: String, at node: YAMLNode, hint: String? = nil) {
    problems.append(Problem(message, at: location(of: node), hint: hint))
  }

  func location(of node: YAMLNode) -> Problem.Location {
    Problem.Location(file: file, line: node.line, column: node.column)
  }

  /// The values of a mapping by key; a key without value is as if it were not there.
  ///
  /// Keys in `later` are planned, and refused without looking for a misspelling.
  mutating func mapping(
    _ node: YAMLNode, keys: [String], later: [String] = []
  ) -> [String: YAMLNode] {
    if case .null = node.content { return [:] }
    guard case .mapping(let pairs) = node.content else {
      refuse("expected keys and values, found \(node.kind)", at: node)
      return [:]
    }
    var values: [String: YAMLNode] = [:]
    for (key, value) in pairs {
      guard let name = key.scalarText else {
        refuse("expected a key, found \(key.kind)", at: key)
        continue
      }
      if keys.contains(name) {
        if value.content != .null { values[name] = value }
      } else if later.contains(name) {
        refuse("'\(name)' is not supported by this version", at: key, hint: "remove it")
      } else {
        refuse("unknown key '\(name)'" + Suggestion.text(for: name, among: keys + later), at: key)
      }
    }
    return values
  }

  mutating func value<Value>(
    _ node: YAMLNode?, _ parse: (String) throws(InvalidValue) -> Value
  ) -> Value? {
    guard let node else { return nil }
    switch node.content {
    case .text(let text): return parsed(text, at: node, parse)
    case .number(let text):
      // A bare number where a text belongs; the parser of a duration says what to write instead.
      do {
        _ = try parse(text)
        refuse("expected text, found the number \(text)", at: node, hint: "put it in quotes")
      } catch {
        refuse("\(error)", at: node)
      }
    case .boolean(_, let text):
      refuse("expected text, found '\(text)'", at: node, hint: "put it in quotes")
    default: refuse("expected text, found \(node.kind)", at: node)
    }
    return nil
  }

  mutating func number<Value>(
    _ node: YAMLNode?, _ parse: (String) throws(InvalidValue) -> Value
  ) -> Value? {
    guard let node else { return nil }
    guard case .number(let text) = node.content else {
      refuse("expected a number, found \(node.kind)", at: node)
      return nil
    }
    return parsed(text, at: node, parse)
  }

  mutating func boolean(_ node: YAMLNode?) -> Bool? {
    guard let node else { return nil }
    guard case .boolean(let value, _) = node.content else {
      refuse("expected true or false, found \(node.kind)", at: node)
      return nil
    }
    return value
  }

  mutating func list<Value>(
    _ node: YAMLNode?, _ parse: (String) throws(InvalidValue) -> Value
  ) -> [Value] {
    guard let node else { return [] }
    guard case .sequence(let elements) = node.content else {
      refuse("expected a list, found \(node.kind)", at: node, hint: "write [a, b]")
      return []
    }
    var values: [Value] = []
    for element in elements {
      if let value = value(element, parse) { values.append(value) }
    }
    return values
  }

  private mutating func parsed<Value>(
    _ text: String, at node: YAMLNode, _ parse: (String) throws(InvalidValue) -> Value
  ) -> Value? {
    do {
      return try parse(text)
    } catch {
      refuse("\(error)", at: node)
      return nil
    }
  }
}

extension Problem {
  /// - Parameter names: The profiles that there are.
  static func unknownProfile(_ name: String, in file: String, names: [String]) -> Problem {
    let known = names.map { "'\($0)'" }.joined(separator: ", ")
    return Problem(
      "\(file) has no profile '\(name)'" + Suggestion.text(for: name, among: names),
      hint: names.isEmpty ? "add it under 'profiles'" : "it has \(known)")
  }
}

extension YAMLNode {
  /// What a person would call it.
  var kind: String {
    switch content {
    case .null: "nothing"
    case .boolean(_, let text): "'\(text)'"
    case .number(let text): "the number \(text)"
    case .text(let text): text.count > 40 ? "text" : "'\(text)'"
    case .sequence: "a list"
    case .mapping: "keys and values"
    }
  }

  var scalarText: String? {
    switch content {
    case .text(let text), .number(let text), .boolean(_, let text): text
    default: nil
    }
  }
}
