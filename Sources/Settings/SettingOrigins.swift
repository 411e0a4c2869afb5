import Basics
import FoundationEssentials

/// Where each setting in force comes from: a variable, a line of the file, or nowhere, as a default does.
///
/// Options are left out: `config print` has none that is a setting of the file.
package struct SettingOrigins {
  package struct Entry: Equatable, Encodable {
    /// As the file nests it: `batch.debounce`, `images[0]`.
    var key: String
    var value: JSON
    /// `environment`, `file` or `default`.
    var origin: String
    /// With `environment`.
    var variable: String?
    /// With `file`.
    var file: String?
    var line: Int?

    /// `environment WATCHBUILD_DEBOUNCE`, `watchbuild.yaml:3` or `default`.
    var place: String {
      if let variable { return "environment \(variable)" }
      if let file, let line { return "\(file):\(line)" }
      return origin
    }
  }

  /// The variables of settings that the file has too, the first that is set counting.
  private static let variables = Dictionary(
    uniqueKeysWithValues: SettingKeys.all.compactMap { setting in
      setting.place.map { ("\($0.section).\($0.key)", setting.variables) }
    })

  /// In the order of their keys, images in the file's order.
  package private(set) var entries: [Entry] = []

  package init(of settings: Settings, environment: [String: String]) throws {
    let root = try settings.configurationFile?.values(profile: settings.profile)
    let printed = try JSONDecoder().decode(
      JSON.self, from: Data(PrintedSettings(settings).json().utf8))
    let variables = EnvironmentSettings(environment: environment, directory: settings.workspace)
    for (name, part) in (printed.fields ?? [:]).sorted(by: { $0.key < $1.key }) {
      let node = root?[name]
      for (key, value, place) in Self.leaves(name, part, node) {
        var entry = Entry(key: key, value: value, origin: "default")
        let variable = Self.variables[key]?.first { variables.text(of: $0) != nil }
        if let variable {
          entry.origin = "environment"
          entry.variable = variable
        } else if let place, let file = settings.configurationFile {
          entry.origin = "file"
          entry.file = file.displayName
          entry.line = place.line
        }
        entries.append(entry)
      }
    }
  }

  /// The values of one part of the file, each with its place there; `nil`: the file does not have it.
  private static func leaves(
    _ name: String, _ part: JSON, _ node: YAMLNode?
  ) -> [(key: String, value: JSON, place: YAMLNode?)] {
    if let fields = part.fields {
      return fields.sorted { $0.key < $1.key }.map { key, value in
        let place = node?[key]
        return ("\(name).\(key)", value, place?.content == .null ? nil : place)
      }
    }
    guard let elements = part.array else { return [(name, part, node)] }
    var places: [YAMLNode] = []
    if case .sequence(let nodes) = node?.content { places = nodes }
    return elements.indices.map { index in
      (
        "\(name)[\(index)]", elements[index],
        places.indices.contains(index) ? places[index] : nil
      )
    }
  }

  /// A line for each: `batch.debounce = "40ms"  # watchbuild.yaml:3`.
  package func text() throws -> String {
    try entries.map { entry in
      let value = try Self.encoded(entry.value, [])
      return Terminal.escaped("\(entry.key) = \(value)  # \(entry.place)") + "\n"
    }.joined()
  }

  package func json() throws -> String { try Self.encoded(entries, .prettyPrinted) + "\n" }

  private static func encoded(
    _ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting
  ) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.outputFormatting.formUnion(formatting)
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
