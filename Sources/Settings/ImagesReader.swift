import Basics
import Graph
import Images
import SystemPackage

/// Reads `images` of the configuration, and checks what one image says of another.
struct ImagesReader {
  var reader: ConfigurationReader
  /// Where each image stands, by name.
  private var places: [String: YAMLNode] = [:]
  /// Where each reference stands.
  private var referencePlaces: [String: YAMLNode] = [:]
  /// Where each image's `requires` stands.
  private var requirePlaces: [String: YAMLNode] = [:]

  init(reader: ConfigurationReader) { self.reader = reader }

  mutating func entries(_ node: YAMLNode) -> [ImageEntry] {
    guard case .sequence(let elements) = node.content else {
      reader.refuse(
        "expected a list of images, found \(node.kind)", at: node,
        hint: "begin each image with '- name:' or '- target:'")
      return []
    }
    var entries: [ImageEntry] = []
    for element in elements {
      if let entry = entry(element) { entries.append(entry) }
    }
    checkRequires(entries)
    return entries
  }

  private mutating func entry(_ node: YAMLNode) -> ImageEntry? {
    guard case .mapping(let pairs) = node.content else {
      reader.refuse(
        "expected keys and values, found \(node.kind)", at: node, hint: "write '- target: LABEL'")
      return nil
    }
    let isQuery = pairs.contains { $0.key.scalarText == "query" }
    return isQuery
      ? query(node).map(ImageEntry.query) : image(node).map(ImageEntry.target)
  }

  private mutating func query(_ node: YAMLNode) -> ImageQuery? {
    let values = reader.mapping(node, keys: ["query", "exclude"])
    let expression = reader.value(values["query"]) { text throws(InvalidValue) in
      guard text.contains(where: { !$0.isWhitespace }) else {
        throw InvalidValue("an empty query finds nothing")
      }
      return text
    }
    let exclude = reader.list(values["exclude"]) { text throws(InvalidValue) in
      guard let pattern = LabelPattern(text) else {
        throw InvalidValue("'\(text)' is no label or pattern such as //services/legacy/...")
      }
      return pattern
    }
    return expression.map { ImageQuery(expression: $0, exclude: exclude) }
  }

  private mutating func image(_ node: YAMLNode) -> ConfiguredImage? {
    let values = reader.mapping(
      node,
      keys: [
        "name", "target", "outputGroup", "ref", "from", "options", "platform", "workspace",
        "requires", "rollout",
      ])
    let name = reader.value(values["name"], Self.name)
    let label = reader.value(values["target"], Self.label)
    let base = reader.directory
    let workspace = reader.value(values["workspace"]) { text throws(InvalidValue) in
      base.pushing(FilePath(text)).lexicallyNormalized()
    }
    let outputGroup = reader.value(values["outputGroup"], Self.word)
    let references = references(values["ref"])
    let from = reader.value(values["from"]) { text throws(InvalidValue) in
      try SettingText.choice(text) as ImageSource.Choice
    }
    let options = reader.list(values["options"], SettingText.bazelOption)
    let platform = reader.value(values["platform"], Self.label)?.description
    let requires = reader.list(values["requires"], Self.name)
    let rollout = values["rollout"].flatMap { reader.rollout($0) }
    guard let label else {
      if values["target"] == nil {
        reader.refuse("the image has no 'target'", at: node, hint: "add 'target: LABEL'")
      }
      return nil
    }
    var image = ConfiguredImage(
      name: name ?? ImageName.short(for: label), label: label, outputGroup: outputGroup,
      references: references, from: from ?? .auto, options: options, platform: platform,
      workspace: workspace == base ? nil : workspace, requires: requires)
    image.rollout = rollout
    guard values["name"] == nil || name != nil else { return nil }
    register(image, at: values["name"] ?? node, requires: values["requires"])
    return image
  }

  /// One reference or a list of them, none of which another image has.
  private mutating func references(_ node: YAMLNode?) -> [String] {
    guard let node else { return [] }
    let places: [YAMLNode] = if case .sequence(let nodes) = node.content { nodes } else { [node] }
    var references: [String] = []
    for place in places {
      guard let text = reader.value(place, Self.reference) else { continue }
      if let first = referencePlaces[text] {
        reader.refuse(
          "the name '\(text)' is given in line \(first.line) already", at: place,
          hint: "two images with one name would replace each other; give this one another")
      } else {
        referencePlaces[text] = place
        references.append(text)
      }
    }
    return references
  }

  private mutating func register(
    _ image: ConfiguredImage, at place: YAMLNode, requires: YAMLNode?
  ) {
    if let first = places[image.name] {
      reader.refuse(
        "another image is named '\(image.name)' already, in line \(first.line)", at: place,
        hint: "give one of them another 'name'")
    } else {
      places[image.name] = place
      requirePlaces[image.name] = requires
    }
  }

  /// Every name in `requires` is an image of the file, and no image waits for itself.
  private mutating func checkRequires(_ entries: [ImageEntry]) {
    var requires: [String: [String]] = [:]
    for case .target(let image) in entries where requires[image.name] == nil {
      requires[image.name] = image.requires
    }
    for (name, required) in requires {
      for other in required where requires[other] == nil {
        guard let place = requirePlaces[name] else { continue }
        reader.refuse(
          "'\(name)' requires '\(other)', which is no image of this file"
            + Suggestion.text(for: other, among: requires.keys.sorted()), at: place)
      }
    }
    if let cycle = RequireCycle.find(in: requires), let name = cycle.first,
      let place = requirePlaces[name]
    {
      reader.refuse(
        "images require each other in a circle: \(cycle.joined(separator: " → "))", at: place,
        hint: "remove one of these")
    }
  }
}

// MARK: - Texts

extension ImagesReader {
  private static func name(_ text: String) throws(InvalidValue) -> String {
    let isPlain = text.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || ("0"..."9").contains($0) || "._-/".unicodeScalars.contains($0)
    }
    // A name must not look like a label or an option on the command line.
    guard isPlain, !text.isEmpty, !text.hasPrefix("-"), !text.hasPrefix("/") else {
      throw InvalidValue("'\(text)' is no name: use letters, digits and . _ - /")
    }
    return text
  }

  private static func label(_ text: String) throws(InvalidValue) -> Label {
    guard let label = Label(text) else {
      throw InvalidValue("'\(text)' is no label such as //services/api:image.tar")
    }
    return label
  }

  private static func word(_ text: String) throws(InvalidValue) -> String {
    guard !text.isEmpty, !text.contains(where: { $0.isWhitespace || $0 == "," }) else {
      throw InvalidValue("'\(text)' is no name of one output group")
    }
    return text
  }

  private static func reference(_ text: String) throws(InvalidValue) -> String {
    guard let reference = ImageReference(text) else {
      throw InvalidValue("'\(text)' is no image reference such as registry.local/api:dev")
    }
    return reference.description
  }
}
