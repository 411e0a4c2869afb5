/// The way in which Bazel makes an image: the targets and output groups with its content and its names.
package struct ImageSource: Hashable, Sendable, Codable {
  /// The user's choice of what an image is loaded from.
  package enum Choice: String, Hashable, Sendable, CaseIterable, Codable {
    /// The layout where the rule has one, else the tar.
    case auto
    case layout, tar
  }

  /// Output of one target.
  package struct Product: Hashable, Sendable, Codable {
    package var label: Label
    /// The output group that holds it; `nil`: a default output, or the group `tarball` where the rule has that.
    package var outputGroup: String?

    package init(_ label: Label, outputGroup: String? = nil) {
      self.label = label
      self.outputGroup = outputGroup
    }
  }

  /// One way to make the image.
  package struct Way: Hashable, Sendable, Codable {
    package enum Form: String, Hashable, Sendable, Codable {
      /// A tar of one image or more, or what else the target makes: a layout is taken, too.
      case archive
      /// The directory of an OCI image layout.
      case layout
      /// A layout of rules_img with `*.descriptor.json` in place of the layers' bytes.
      case sparseLayout
    }

    package var form: Form
    /// The form that holds the image.
    package var image: Product
    /// The file with the image's names, one a word (`repo_tags` of rules_oci).
    package var tags: Product?
    /// The JSON file of rules_img with the image's names and where its layers come from.
    package var deployManifest: Product?
    /// Targets that make layers which a sparse layout leaves out.
    package var layers: [Label]
    /// Output groups of the targets that must not be asked for in the same build: they would be made in vain, or fail.
    package var avoidedGroups: Set<String>

    package init(
      _ form: Form, _ image: Product, tags: Product? = nil, deployManifest: Product? = nil,
      layers: [Label] = [], avoidedGroups: Set<String> = []
    ) {
      self.form = form
      self.image = image
      self.tags = tags
      self.deployManifest = deployManifest
      self.layers = layers
      self.avoidedGroups = avoidedGroups
    }

    /// All that is to be built.
    package var products: [Product] {
      [image] + [tags, deployManifest].compactMap(\.self) + layers.map { Product($0) }
    }

    /// The output groups that are to be asked for.
    package var outputGroups: Set<String> {
      var groups = Set(products.compactMap(\.outputGroup))
      // A loader that nobody knows may have its tar there.
      if form == .archive, image.outputGroup == nil, !image.label.isArchive {
        groups.insert("tarball")
      }
      return groups
    }
  }

  /// As configured.
  package var choice: Choice
  /// The ways to make the image, the best first; never empty. The others are tried where it is of no use.
  package private(set) var ways: [Way]
  /// The names that the target gives the image, as far as they are known before it is built; none: it gives none.
  package var names: [String]?

  package init(
    _ way: Way, orElse others: [Way] = [], choice: Choice = .auto, names: [String]? = nil
  ) {
    self.choice = choice
    self.names = names
    ways = [way] + others
  }

  /// An archive that a target makes, of which nothing else is known.
  package init(archiveOf label: Label, outputGroup: String? = nil, choice: Choice = .auto) {
    self.init(Way(.archive, Product(label, outputGroup: outputGroup)), choice: choice)
  }

  /// The same with no other ways than those chosen.
  ///
  /// - Returns: `nil` when there is none.
  package func limited(to choice: Choice) -> ImageSource? {
    var limited = self
    limited.choice = choice
    switch choice {
    case .auto: break
    case .layout: limited.ways = ways.filter { $0.form != .archive }
    case .tar: limited.ways = ways.filter { $0.form == .archive }
    }
    return limited.ways.isEmpty ? nil : limited
  }
}

extension Label {
  /// True if it names a file that is a tar: nothing has to be asked about that.
  package var isArchive: Bool { [".tar", ".tar.gz", ".tgz"].contains(where: name.hasSuffix) }
}
