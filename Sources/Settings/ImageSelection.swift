package import Basics
package import Graph
package import SystemPackage

/// The images of a run: those asked for, matched with those configured.
package struct ImageSelection: Equatable, Sendable {
  /// Known by label, in order; with those that they require.
  var images: [ConfiguredImage] = []
  /// To be asked of Bazel; each finds more images.
  package var queries: [ImageQuery] = []
  /// Where images are searched for by rule kind and tag; everywhere, where nothing is configured.
  package var patterns = [LabelPattern.everything]
  /// Only these of the images that are found, and those that a requested pattern matches; none of either: all.
  var names: [String] = []
  /// Patterns from the command line: each is to match an image.
  private var requested: [LabelPattern] = []
  /// Names that images not selected have, so that no found image takes them.
  private var reserved: Set<String> = []

  init() {}

  /// - Parameters:
  ///   - entries: What is configured.
  ///   - requested: Names, labels and patterns from the command line; none: all.
  ///   - package: Where relative labels (`:image`, `api:image`) start.
  /// - Throws: When a name is no image's, or a text neither name nor label.
  init(of entries: [ImageEntry], requested: [String], package: String) throws(Problem) {
    let configured = entries.compactMap { if case .target(let image) = $0 { image } else { nil } }
    let queries = entries.compactMap { if case .query(let query) = $0 { query } else { nil } }
    reserved = Set(configured.map(\.name))
    guard !requested.isEmpty else {
      images = configured
      self.queries = queries
      patterns = entries.isEmpty ? [.everything] : []
      return
    }

    var chosen: Set<String> = []
    var labels: [Label] = []
    for text in requested {
      if let pattern = try Self.pattern(text, package: package) {
        let named = configured.filter { pattern.matches($0.label) && $0.workspace == nil }.map(
          \.name)
        chosen.formUnion(named)
        if let label = pattern.label {
          if named.isEmpty, !labels.contains(label) { labels.append(label) }
        } else {
          self.requested.append(pattern)
        }
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
      + labels.map {
        ConfiguredImage(name: labelNames[$0] ?? $0.description, label: $0, isNamed: true)
      }
    self.queries = names.isEmpty ? [] : queries
    patterns = self.requested + (!names.isEmpty && entries.isEmpty ? [.everything] : [])
    if let unknown = names.first, patterns.isEmpty, queries.isEmpty {
      throw Self.unknown(unknown, among: configured.map(\.name))
    }
  }

  /// The labels that Bazel is asked about: the kind of these targets tells what is to be built.
  ///
  /// - Parameter other: The other workspace that they belong to; `nil`: the run's.
  package func labels(in other: FilePath?) -> [Label] {
    images.filter { $0.workspace == other && $0.asksForKind }.map(\.label)
  }

  /// True if Bazel is asked about any label.
  package var asksForKinds: Bool { images.contains(where: \.asksForKind) }

  /// Other workspaces that images are made in.
  package var otherWorkspaces: Set<FilePath> { Set(images.compactMap(\.workspace)) }

  /// The images of the run, found ones included.
  ///
  /// - Parameters:
  ///   - found: What the queries, or the search, have found and `ImageQuery.admits`.
  ///   - named: What Bazel knows of labels, by the other workspace that they belong to.
  ///   - settings: For the workspace and the options of every build.
  /// - Returns: Those with a label known beforehand first, then the found ones by label.
  /// - Throws: When a name that was asked for is no image's, a pattern matches none, or an image can't be made as it
  ///   is wanted.
  package func targets(
    found: [FoundImage], named: [FilePath?: [Label: FoundImage]] = [:], settings: Settings
  ) throws(Problem) -> [ImageTarget] {
    let known = Set(images.filter { $0.workspace == nil }.map(\.label))
    let more = Dictionary(found.map { ($0.label, $0) }) { first, _ in first }
      .filter { !known.contains($0.key) }
    let labels = more.keys.sorted()
    let foundNames = ImageName.unique(for: labels, taken: reserved.union(images.map(\.name)))
    if let unknown = names.first(where: { !foundNames.values.contains($0) }) {
      throw Self.unknown(unknown, among: images.map(\.name) + foundNames.values)
    }
    let all = known.union(labels)
    if let empty = requested.first(where: { !all.contains(where: $0.matches) }) {
      throw Self.empty(empty)
    }
    var targets: [ImageTarget] = []
    for image in images {
      let source = try image.source(knowing: named[image.workspace]?[image.label])
      targets.append(image.target(source, settings: settings))
    }
    for label in labels {
      let name = foundNames[label] ?? label.description
      let isRequested = requested.contains { $0.matches(label) }
      guard names.isEmpty && requested.isEmpty || names.contains(name) || isRequested,
        let image = more[label]
      else { continue }
      var target = ConfiguredImage(name: name, label: label)
        .target(image.source, settings: settings)
      target.origin = image.origin
      // One of those that Bazel found was asked for by its name, where there are names.
      target.isFound = !names.contains(name)
      targets.append(target)
    }
    return targets
  }

  /// - Returns: `nil` when the text is a name.
  private static func pattern(
    _ text: String, package: String
  ) throws(Problem) -> LabelPattern? {
    guard
      text.contains(":") || text.hasPrefix("//") || text.hasPrefix("@") || text.hasSuffix("...")
    else { return nil }
    let isAbsolute = text.hasPrefix("//") || text.hasPrefix("@")
    let prefix = package.isEmpty || text.hasPrefix(":") ? package : package + "/"
    let absolute = isAbsolute ? text : "//\(prefix)\(text)"
    if let pattern = LabelPattern(absolute) { return pattern }
    throw Problem(
      "'\(text)' is no label and no pattern",
      hint: "write one such as //services/api:image or //services/...")
  }

  private static func empty(_ pattern: LabelPattern) -> Problem {
    Problem(
      "no image target matches \(pattern)",
      hint: "'watchbuild images' lists those that there are; tag the rules that make images with "
        + "'watchbuild', or name a label such as //services/api:image.tar")
  }

  private static func unknown(_ name: String, among names: [String]) -> Problem {
    let known = names.sorted().prefix(10).joined(separator: ", ")
    return Problem(
      "no image is named '\(name)'" + Suggestion.text(for: name, among: names),
      hint: names.isEmpty
        ? "there are none; name a label such as //services/api:image" : "there are: \(known)")
  }
}
