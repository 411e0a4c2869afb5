import Graph

/// Decides what is to be built for an image, by the kind of its rule.
extension ImageStory {
  /// - Returns: All ways, the best first. For a target of which nothing is known, the archive among its outputs.
  func source(of label: Label) -> ImageSource {
    var seen: Set<Label> = []
    return known(label, &seen) ?? ImageSource(archiveOf: label)
  }

  private func known(_ label: Label, _ seen: inout Set<Label>) -> ImageSource? {
    guard seen.insert(label).inserted, let rule = rule(label),
      let kind = ImageRuleKind(rule.kind)
    else { return nil }
    // Tagged by its macro, and perhaps of a class of the same name that makes something else.
    switch kind {
    case .layoutLoader: return layoutLoader(rule)
    case .manifestLoader: return manifestLoader(rule)
    case .layout:
      return ImageSource(.init(.layout, .init(rule.label)), names: [])
    case .layoutGroup: return layoutGroup(rule)
    case .dockerTar: return dockerTar(rule)
    case .dockerBundle:
      return ImageSource(.init(.archive, .init(rule.label("tar_output") ?? rule.label.tar)))
    case .alias:
      let actual = rule.label("actual").map { [$0] } ?? rule.inputs.filter { self.rule($0) != nil }
      return actual.count == 1 ? known(actual[0], &seen) : handedOn(rule, actual, &seen)
    case .filegroup where rule.text("output_group") == nil && rule.labels("srcs").count == 1:
      return known(rule.labels("srcs")[0], &seen)
    case .filegroup where rule.text("output_group") != nil: return nil
    case .filegroup, .transition: return handedOn(rule, rule.labels("srcs"), &seen)
    }
  }

  /// A rule that hands on layouts hands on its default outputs: it is to be built itself, since it may choose among
  /// them or have them built in another configuration.
  private func handedOn(
    _ rule: FoundRule, _ inner: [Label], _ seen: inout Set<Label>
  )
    -> ImageSource?
  {
    let sources = inner.map { known($0, &seen) }
    let areLayouts = sources.allSatisfy { source in
      source?.ways.first.map { $0.form == .layout && $0.image.outputGroup == nil && $0.tags == nil }
        ?? false
    }
    guard areLayouts, !sources.isEmpty else { return nil }
    return ImageSource(.init(.layout, .init(rule.label)), names: [])
  }

  // MARK: rules_oci

  private func layoutLoader(_ rule: FoundRule) -> ImageSource {
    let tar = ImageSource.Way(
      .archive, .init(rule.label, outputGroup: rule.kind == "oci_load" ? "tarball" : nil))
    let tags = rule.label("repo_tags")
    let names = tags.map(words) ?? []
    guard let image = rule.label("image") else { return ImageSource(tar, names: names) }
    let layout = ImageSource.Way(
      .layout, .init(image), tags: tags.map { ImageSource.Product($0) })
    return ImageSource(layout, orElse: [tar], names: names)
  }

  /// The words of a tags file that a rule writes as they stand in the BUILD file.
  private func words(of file: Label) -> [String]? {
    let rule = rule(maker(of: file) ?? file)
    // What a rule of another kind makes of such texts is not known: it may stamp them.
    guard let rule, rule.kind.hasSuffix("write_file") else { return nil }
    return rule.values("content").flatMap { $0.split(whereSeparator: \.isWhitespace) }.map(
      String.init)
  }

  // MARK: rules_img

  private static let manifestGroup = "deploy_manifest"

  private func manifestLoader(_ rule: FoundRule) -> ImageSource {
    let deploy = ImageSource.Product(rule.label, outputGroup: Self.manifestGroup)
    let tar = ImageSource.Way(
      .archive, .init(rule.label, outputGroup: "tarball"), deployManifest: deploy)
    guard let image = rule.label("image") else { return ImageSource(tar, names: names(of: rule)) }
    // The loader would make its tar whenever somebody in the same build asks for such a group.
    let layout = ImageSource.Way(
      .layout, .init(image, outputGroup: "oci_layout"), deployManifest: deploy,
      avoidedGroups: ["tarball"])
    let sparse = ImageSource.Way(
      .sparseLayout, .init(image, outputGroup: "sparse_oci_layout"), deployManifest: deploy,
      layers: layers(of: image), avoidedGroups: ["tarball", "oci_layout", "oci_tarball"])
    return ImageSource(layout, orElse: [sparse, tar], names: names(of: rule))
  }

  private func layoutGroup(_ rule: FoundRule) -> ImageSource {
    let deploy = ImageSource.Product(rule.label, outputGroup: Self.manifestGroup)
    let layout = ImageSource.Way(
      .layout, .init(rule.label, outputGroup: "oci_layout"), avoidedGroups: ["oci_tarball"])
    let sparse = ImageSource.Way(
      .sparseLayout, .init(rule.label, outputGroup: "sparse_oci_layout"), deployManifest: deploy,
      layers: layers(of: rule.label), avoidedGroups: ["oci_layout", "oci_tarball"])
    let tar = ImageSource.Way(.archive, .init(rule.label, outputGroup: "oci_tarball"))
    return ImageSource(layout, orElse: [sparse, tar], names: [])
  }

  /// The targets that make the layers of an image, and of those in the workspace that it stands on.
  private func layers(of image: Label) -> [Label] {
    guard let rule = rule(image) else { return [] }
    let rules = [rule] + served(by: rule).sorted().compactMap(self.rule)
    var seen: Set<Label> = []
    return rules.filter { $0.label.repository.isEmpty }.flatMap { $0.labels("layers") }
      .filter { seen.insert($0).inserted }
  }

  /// - Returns: `nil` where they are known only when they are built.
  private func names(of loader: FoundRule) -> [String]? {
    let tags = [loader.text("tag")].compactMap(\.self) + loader.values("tag_list")
    let place = [loader.text("registry"), loader.text("repository")].compactMap(\.self)
    guard loader.text("tag_file") == nil, !(tags + place).contains(where: { $0.contains("{{") })
    else { return nil }
    return DeployManifest.names(
      registry: loader.text("registry"), repository: loader.text("repository"), tags: tags)
  }

  // MARK: rules_docker

  private func dockerTar(_ rule: FoundRule) -> ImageSource {
    let tar = rule.label.tar
    // An import's tar is its default output, and may have any name.
    let isImplicit = rule.outputs.contains(tar) || rule.kind != "container_import"
    let repository = "\(rule.text("repository") ?? "bazel")/\(rule.label.package)"
    return ImageSource(
      .init(.archive, .init(isImplicit ? tar : rule.label)),
      names: ["\(repository):\(rule.label.name)"])
  }
}

extension Label {
  /// The tar that rules_docker makes for a target of this name.
  fileprivate var tar: Label { Label(description + ".tar") ?? self }
}
