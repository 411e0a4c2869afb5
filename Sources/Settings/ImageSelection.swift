package import Basics
package import Graph
import SystemPackage

/// Which images a run is about: what was asked for, matched with what is configured.
package struct ImageSelection: Equatable, Sendable {
  /// Known by label, in order; with those that they require.
  var images: [ConfiguredImage] = []
  /// To be asked of Bazel; each finds more images.
  package var queries: [ImageQuery] = []
  /// Nothing is configured: find images by rule kind and tag.
  package var searchesWorkspace = true
  /// Only these of the images that are found; empty: all.
  var names: [String] = []
  /// Names that images not selected have, so that no found image takes them.
  private var reserved: Set<String> = []

  init() {}

  /// - Parameters:
  ///   - entries: What is configured.
  ///   - requested: Names and labels from the command line; none: all.
  ///   - package: Where relative labels (`:image`, `api:image`) start.
  /// - Throws: When a name is no image's, or a text neither name nor label.
  init(of entries: [ImageEntry], requested: [String], package: String) throws(Problem) {
    let configured = entries.compactMap { if case .target(let image) = $0 { image } else { nil } }
    let queries = entries.compactMap { if case .query(let query) = $0 { query } else { nil } }
    reserved = Set(configured.map(\.name))
    guard !requested.isEmpty else {
      images = configured
      self.queries = queries
      searchesWorkspace = entries.isEmpty
      return
    }

    var chosen: Set<String> = []
    var labels: [Label] = []
    for text in requested {
      if let label = try Self.label(text, package: package) {
        let named = configured.filter { $0.label == label }.map(\.name)
        if named.isEmpty, !labels.contains(label) { labels.append(label) }
        chosen.formUnion(named)
      } else if reserved.contains(text) {
        chosen.insert(text)
      } else {
        names.append(text)
      }
    }
    // A required image is loaded first, so it belongs to the run.
    var pending = chosen.sorted()
    while let name = pending.popLast() {
      for image in configured where image.name == name {
        pending += image.requires.filter { chosen.insert($0).inserted }
      }
    }
    let labelNames = ImageName.unique(for: labels, taken: reserved)
    images =
      configured.filter { chosen.contains($0.name) }
      + labels.map { ConfiguredImage(name: labelNames[$0] ?? $0.description, label: $0) }
    self.queries = names.isEmpty ? [] : queries
    searchesWorkspace = !names.isEmpty && entries.isEmpty
    if let unknown = names.first, !searchesWorkspace, queries.isEmpty {
      throw Self.unknown(unknown, among: configured.map(\.name))
    }
  }

  /// An image that Bazel found.
  package struct Found: Hashable, Sendable {
    var label: Label
    /// The output group with the tar, where the rule's kind has one.
    var outputGroup: String?

    package init(label: Label, outputGroup: String? = nil) {
      self.label = label
      self.outputGroup = outputGroup
    }
  }

  /// The images of the run, found ones included.
  ///
  /// - Parameters:
  ///   - found: What the queries, or the search, have found and `ImageQuery.admits`.
  ///   - settings: For the workspace and the options of every build.
  /// - Returns: Those with a label known beforehand first, then the found ones by label.
  /// - Throws: When a name that was asked for is no image's.
  package func targets(found: [Found], settings: Settings) throws(Problem) -> [ImageTarget] {
    let known = Set(images.map(\.label))
    let groups = Dictionary(found.map { ($0.label, $0.outputGroup) }) { first, _ in first }
    let labels = groups.keys.filter { !known.contains($0) }.sorted()
    let foundNames = ImageName.unique(
      for: labels, taken: reserved.union(images.map(\.name)))
    if let unknown = names.first(where: { !foundNames.values.contains($0) }) {
      throw Self.unknown(unknown, among: images.map(\.name) + foundNames.values)
    }
    let more = labels.compactMap { label -> ConfiguredImage? in
      let name = foundNames[label] ?? label.description
      guard names.isEmpty || names.contains(name) else { return nil }
      return ConfiguredImage(name: name, label: label, outputGroup: groups[label] ?? nil)
    }
    // One of those that Bazel found was asked for by its name, where there are names.
    let unnamed = names.isEmpty ? Set(more.map(\.label)) : []
    return (images + more).map { image in
      var target = ImageTarget(
        name: image.name, label: image.label, outputGroup: image.outputGroup,
        reference: image.reference,
        key: BatchKey(
          workspace: image.workspace ?? settings.workspace,
          options: settings.bazelOptions + image.options, platform: image.platform),
        requires: image.requires)
      target.isFound = unnamed.contains(image.label)
      return target
    }
  }

  /// - Returns: `nil` when the text is a name.
  private static func label(_ text: String, package: String) throws(Problem) -> Label? {
    guard text.contains(":") || text.hasPrefix("//") || text.hasPrefix("@") else { return nil }
    let isAbsolute = text.hasPrefix("//") || text.hasPrefix("@")
    let prefix = package.isEmpty || text.hasPrefix(":") ? package : package + "/"
    let absolute = isAbsolute ? text : "//\(prefix)\(text)"
    if let label = Label(absolute) { return label }
    if LabelPattern(absolute) != nil {
      throw Problem(
        "'\(text)' is a pattern, not a label",
        hint: "name the image targets, or name none to find all images")
    }
    throw Problem("'\(text)' is no label", hint: "write one such as //services/api:image")
  }

  private static func unknown(_ name: String, among names: [String]) -> Problem {
    let known = names.sorted().prefix(10).joined(separator: ", ")
    return Problem(
      "no image is named '\(name)'" + Suggestion.text(for: name, among: names),
      hint: names.isEmpty
        ? "there are none; name a label such as //services/api:image" : "there are: \(known)")
  }
}
