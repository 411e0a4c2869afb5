package import Graph
package import SystemPackage

/// Where the parts of an image lie that a build has made.
package struct BuiltImage: Hashable {
  /// A tar, or the directory of an OCI image layout.
  package let path: FilePath
  /// The file with the image's names, one a word.
  package private(set) var tags: FilePath?
  /// The file in which rules_img writes the image's names, and where its layers come from.
  package private(set) var deployManifest: FilePath?
  /// Files that hold layers which a sparse layout leaves out, each whole; there may be others among them.
  package private(set) var layers: [FilePath] = []

  /// Why a target's outputs can't be loaded.
  package enum Failure: Error, CustomStringConvertible {
    case noImage(Label, outputs: [FilePath])
    case noLayout(Label, outputs: [FilePath])
    case noOutputGroup(Label, group: String, groups: [String])
    case noFile(Label, group: String?)
    case severalImages(Label, [FilePath])

    package var description: String {
      switch self {
      case .noImage(let label, let outputs):
        "target \(label) has no image among its outputs (\(Self.names(outputs))); "
          + "name the rule that makes the tar, such as \(label).tar, or its 'outputGroup'"
      case .noLayout(let label, let outputs):
        "target \(label) has no image layout among its outputs (\(Self.names(outputs)))"
      case .noOutputGroup(let label, let group, let groups):
        "target \(label) has no output group '\(group)'; it has "
          + (groups.isEmpty ? "none" : groups.joined(separator: ", "))
      case .noFile(let label, let group):
        "target \(label) makes no one file" + (group.map { " in its output group '\($0)'" } ?? "")
          + ", which is to hold the image's names"
      case .severalImages(let label, let tars):
        "target \(label) makes several tars (\(Self.names(tars))); "
          + "name the label of the one to load, or its 'outputGroup'"
      }
    }

    private static func names(_ outputs: [FilePath]) -> String {
      if outputs.isEmpty { return "no output at all" }
      let names = outputs.prefix(4).compactMap(\.lastComponent).map(\.string)
      return names.joined(separator: ", ") + (outputs.count > 4 ? ", …" : "")
    }
  }

  /// - Parameters:
  ///   - way: How it was made.
  ///   - outputs: Absolute paths by target and output group.
  package init(
    _ way: ImageSource.Way, among outputs: [Label: [String: [FilePath]]]
  ) throws(Failure) {
    let files = try Self.files(of: way.image, among: outputs)
    path =
      way.form == .archive
      ? try Self.archive(way.image.label, among: files)
      : try Self.layout(way.image.label, among: files)
    tags = try way.tags.map { product throws(Failure) in try Self.file(of: product, among: outputs)
    }
    deployManifest = try way.deployManifest.map { product throws(Failure) in
      try Self.file(of: product, among: outputs)
    }
    layers = way.layers.flatMap { outputs[$0]?["default"] ?? [] }
  }

  private static func files(
    of product: ImageSource.Product, among outputs: [Label: [String: [FilePath]]]
  ) throws(Failure) -> [FilePath] {
    let groups = outputs[product.label] ?? [:]
    guard let group = product.outputGroup else {
      // Known loader rules put a script among the default outputs and the tar into this group.
      return groups["tarball"].flatMap { $0.isEmpty ? nil : $0 } ?? groups["default"] ?? []
    }
    guard let found = groups[group] else {
      throw .noOutputGroup(product.label, group: group, groups: groups.keys.sorted())
    }
    return found
  }

  /// The one file of a product.
  private static func file(
    of product: ImageSource.Product, among outputs: [Label: [String: [FilePath]]]
  ) throws(Failure) -> FilePath {
    let files = try files(of: product, among: outputs)
    guard files.count == 1 else { throw .noFile(product.label, group: product.outputGroup) }
    return files[0]
  }

  /// A tar, or else a layout.
  private static func archive(
    _ label: Label, among files: [FilePath]
  ) throws(Failure) -> FilePath {
    if let tar = try tar(label, among: files) { return tar }
    if let layout = layout(among: files) { return layout }
    throw .noImage(label, outputs: files)
  }

  /// A layout, or else a tar: a rule of a known class may be somebody's own.
  private static func layout(
    _ label: Label, among files: [FilePath]
  ) throws(Failure) -> FilePath {
    if let layout = layout(among: files) { return layout }
    if let tar = try tar(label, among: files) { return tar }
    throw .noLayout(label, outputs: files)
  }

  private static func tar(_ label: Label, among files: [FilePath]) throws(Failure) -> FilePath? {
    let tars = files.filter { file in
      let name = file.lastComponent?.string ?? ""
      return [".tar", ".tar.gz", ".tgz"].contains(where: name.hasSuffix)
    }
    if tars.count > 1 { throw .severalImages(label, tars) }
    return tars.first
  }

  private static func layout(among files: [FilePath]) -> FilePath? {
    if let marker = files.first(where: { $0.lastComponent == "oci-layout" }) {
      return marker.removingLastComponent()
    }
    // A directory is one output in some versions of Bazel, and its files in others.
    let directories = files.filter { $0.extension == nil }
    return directories.count == 1 && files.count == 1 ? files[0] : nil
  }
}
