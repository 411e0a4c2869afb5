import FoundationEssentials
import Graph
import SystemPackage

/// The settings in force, as `watchbuild.yaml` would say them.
package struct PrintedSettings: Encodable {
  /// The settings of one section.
  private struct Section: Encodable {
    var name: String
    var values: SettingValues

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      for (key, setting) in SettingKeys.settings(of: name) {
        try container.encode(setting.printed(values), forKey: Key(stringValue: key))
      }
    }
  }

  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// One text as such, several as a list.
  private struct OneOrMore: Encodable {
    let texts: [String]

    init?(_ texts: [String]) {
      if texts.isEmpty { return nil }
      self.texts = texts
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      if texts.count == 1 { try container.encode(texts[0]) } else { try container.encode(texts) }
    }
  }

  private struct Image: Encodable {
    var name: String?
    var target: String?
    var outputGroup: String?
    var ref: OneOrMore?
    var from: String?
    var options: [String]?
    var platform: String?
    var workspace: String?
    var requires: [String]?
    var rollout: PrintedRollout?
    var query: String?
    var exclude: [String]?
  }

  private var values: SettingValues
  private var images: [Image]
  private var rollout: PrintedRule
  private var hooks: PrintedHooks?

  package init(_ settings: Settings) {
    values = settings.values
    images = settings.entries.map { entry in
      switch entry {
      case .target(let image): Self.image(image)
      case .query(let query):
        Image(
          query: query.expression,
          exclude: Self.unlessEmpty(query.exclude.map(\.description)))
      }
    }
    rollout = PrintedRule(settings.rollout)
    hooks = PrintedHooks(settings.hooks)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for section in SettingKeys.sections {
      // What is built stands before where it goes.
      if section == "load" { try container.encode(images, forKey: Key(stringValue: "images")) }
      if section == "prune" { try encodeDelivery(into: &container) }
      try container.encode(
        Section(name: section, values: values), forKey: Key(stringValue: section))
    }
  }

  private func encodeDelivery(into container: inout KeyedEncodingContainer<Key>) throws {
    try container.encode(rollout, forKey: Key(stringValue: "rollout"))
    try container.encodeIfPresent(hooks, forKey: Key(stringValue: "hooks"))
  }

  package func yaml() throws -> String { try YAMLDocument.text(encoding: self) }

  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }

  private static func image(_ image: ConfiguredImage) -> Image {
    Image(
      name: image.name, target: image.label.description, outputGroup: image.outputGroup,
      ref: OneOrMore(image.references), from: image.from == .auto ? nil : image.from.rawValue,
      options: unlessEmpty(image.options), platform: image.platform,
      workspace: image.workspace?.string, requires: unlessEmpty(image.requires),
      rollout: image.rollout.map(PrintedRollout.init))
  }

  private static func unlessEmpty(_ list: [String]) -> [String]? { list.isEmpty ? nil : list }
}
