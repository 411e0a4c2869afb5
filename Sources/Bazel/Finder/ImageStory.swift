package import Graph

/// Rules that make images, load them, or stand between these, as a query has told them. Pure.
package struct ImageStory: Sendable {
  private var rules: [Label: FoundRule] = [:]
  /// The rules that make files, by the files.
  private var makers: [Label: Label] = [:]

  init(_ targets: [QueryStream.Target]) {
    for target in targets {
      if let rule = FoundRule(target) { rules[rule.label] = rule }
      if case .generatedFile(let name, let maker) = target.entry, let file = Label(name) {
        makers[file] = Label(maker)
      }
    }
  }

  /// The rule of that name.
  ///
  /// Bazel may answer with another name of a repository: then it is whatever has its package and name in another
  /// repository, if there is one.
  func rule(_ label: Label) -> FoundRule? {
    if let rule = rules[label] { return rule }
    guard !label.repository.isEmpty else { return nil }
    let alike = rules.values.filter {
      !$0.label.repository.isEmpty && $0.label.package == label.package
        && $0.label.name == label.name
    }
    return alike.count == 1 ? alike.first : nil
  }

  /// Tells whether there is such a target, as far as the query has told.
  func knows(_ label: Label) -> Bool { rule(label) != nil || makers[label] != nil }

  /// The images among the rules that a search admits, and those that a query has listed; sorted by label.
  ///
  /// A rule that only serves another is none, unless it is tagged `watchbuild` itself.
  package func images(
    listed: [Label] = [], where isSought: (Label) -> Bool = { _ in false }
  ) -> [FoundImage] {
    let found = rules.values.filter {
      isSought($0.label) && ($0.isTagged || ImageRuleKind($0.kind)?.isImage ?? false)
    }
    let all = found + listed.compactMap(rule)
    // What serves an image that is not to be found is not to be found either.
    let serving = all.reduce(into: Set<Label>()) { $0.formUnion(served(by: $1)) }
    func isImage(_ label: Label) -> Bool {
      !serving.contains(label) || rule(label)?.isTagged ?? false
    }
    var images: [Label: FoundImage] = [:]
    for label in listed where isImage(label) { images[label] = image(label, because: .query) }
    for rule in found where !rule.isHidden && isImage(rule.label) && images[rule.label] == nil {
      images[rule.label] = image(rule.label, because: rule.isTagged ? .tag : .kind(rule.kind))
    }
    return images.values.sorted { $0.label < $1.label }
  }

  /// A target that was named.
  package func image(_ label: Label, because reason: FoundImage.Reason = .named) -> FoundImage {
    FoundImage(label: label, source: source(of: label), reason: reason)
  }

  /// The rule that makes a file, where it is known.
  func maker(of file: Label) -> Label? { makers[file] }

  // MARK: What serves what

  /// All rules that a rule stands on, directly or not, over the attributes that name images.
  func served(by rule: FoundRule) -> Set<Label> {
    var found: Set<Label> = []
    var waiting = behind(rule)
    while let label = waiting.popLast() {
      guard label != rule.label, found.insert(label).inserted, let next = self.rule(label) else {
        continue
      }
      found.insert(next.label)
      waiting += behind(next)
    }
    return found
  }

  /// What a rule names in these attributes. Of a rule that is not known, and where a `select()` hides an attribute, all
  /// that it reads and is told of.
  private func behind(_ rule: FoundRule) -> [Label] {
    let kind = ImageRuleKind(rule.kind)
    let named = kind?.served.flatMap(rule.labels) ?? []
    if !named.isEmpty { return named.map { makers[$0] ?? $0 } }
    // Without a base there is nothing to be hidden, as far as anybody can tell.
    if kind == .layout || kind == .layoutGroup || kind == .dockerTar { return [] }
    return rule.inputs.map { makers[$0] ?? $0 }.filter { self.rule($0) != nil }
  }
}
