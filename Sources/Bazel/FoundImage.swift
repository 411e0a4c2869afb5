package import Graph
import Synchronization

/// A target that makes an image, as a query found it.
package struct FoundImage: Hashable, Sendable {
  /// What to build for the image's archive; not always the rule itself.
  package var label: Label
  /// The rule class, such as `oci_load`; empty for a file.
  package var kind: String
  package var tags: [String]

  package init(label: Label, kind: String, tags: [String] = []) {
    self.label = label
    self.kind = kind
    self.tags = tags
  }

  /// The output group that holds the archive, where it is not a default output.
  package static func outputGroup(forKind kind: String) -> String? {
    ["oci_load", "image_load"].contains(kind) ? "tarball" : nil
  }
}

/// What a query for images found.
package struct FoundImages: Hashable, Sendable {
  /// Sorted by label; may be empty.
  package var images: [FoundImage]
  /// Some packages could not be loaded, so there may be more.
  package var isPartial: Bool

  package init(images: [FoundImage], isPartial: Bool) {
    self.images = images
    self.isPartial = isPartial
  }
}

extension FoundImage {
  /// Rule classes that make images.
  private static let kinds = [
    "oci_load", "oci_tarball", "oci_image", "container_image", "container_bundle", "image_load",
  ]

  /// Finds these rules, and those that somebody tagged for us.
  static let query =
    #"kind("^(\#(kinds.joined(separator: "|"))) rule$", //...) "#
    + #"union attr("tags", "\bwatchbuild\b", //...)"#

  /// - Returns: `nil` for what is no label of ours to build.
  fileprivate init?(_ target: QueryStream.Target) {
    switch target.entry {
    case .rule(let name, let kind, _):
      // rules_docker makes the archive only when it is asked for by name.
      let isArchiveSeparate = ["container_image", "container_bundle"].contains(kind)
      guard let label = Label(isArchiveSeparate ? name + ".tar" : name) else { return nil }
      self.init(label: label, kind: kind, tags: target.tags)
    case .sourceFile(let name, _), .generatedFile(let name, _):
      guard let label = Label(name) else { return nil }
      self.init(label: label, kind: "")
    }
  }

  /// Images by label, without those that another one loads: `oci_load(image = ":image")` stands for
  /// both. What a rule tagged `watchbuild` loads stays, where it is tagged too.
  static func images(_ targets: [QueryStream.Target]) -> [FoundImage] {
    let loaders: Set = ["oci_load", "oci_tarball", "image_load", "container_bundle"]
    var loaded: Set<Label> = []
    for target in targets {
      if case .rule(_, let kind, let inputs) = target.entry, loaders.contains(kind) {
        loaded.formUnion(inputs.compactMap(Label.init))
      }
    }
    var images: [Label: FoundImage] = [:]
    for target in targets {
      guard case .rule(let name, let kind, _) = target.entry, let image = FoundImage(target),
        loaders.contains(kind) || target.tags.contains("watchbuild")
          || Label(name).map({ !loaded.contains($0) }) ?? true
      else { continue }
      images[image.label] = image
    }
    return images.values.sorted { $0.label < $1.label }
  }
}

extension Bazel {
  /// Looks for image targets in the whole workspace: one `bazel query`.
  ///
  /// Finds rules of the known kinds and rules tagged `watchbuild`.
  ///
  /// - Returns: What was found. Packages that can't be loaded are passed over, and `update` is told
  ///   what is wrong in them.
  /// - Throws: `BazelError` when there is no answer; `CommandError`; `CancellationError`.
  package func findImages(
    waitsForLock: Bool = true, update: @escaping @Sendable (BuildUpdate) -> Void = { _ in }
  ) async throws -> FoundImages {
    let (found, answer) = try await all(
      FoundImage.query, waitsForLock: waitsForLock, update: update)
    return FoundImages(images: FoundImage.images(found), isPartial: answer.isPartial)
  }

  /// The targets that a query expression or target pattern stands for, sorted by label.
  ///
  /// - Throws: As `findImages`; also when the expression is none.
  package func expand(
    _ expression: String, waitsForLock: Bool = true,
    update: @escaping @Sendable (BuildUpdate) -> Void = { _ in }
  ) async throws -> FoundImages {
    let (found, answer) = try await all(expression, waitsForLock: waitsForLock, update: update)
    let images = Set(found.compactMap(FoundImage.init)).sorted { $0.label < $1.label }
    return FoundImages(images: images, isPartial: answer.isPartial)
  }

  private func all(
    _ expression: String, waitsForLock: Bool,
    update: @escaping @Sendable (BuildUpdate) -> Void
  ) async throws -> (targets: [QueryStream.Target], answer: QueryAnswer) {
    let found = Mutex<[QueryStream.Target]>([])
    let answer = try await targets(
      expression, attributes: "tags", waitsForLock: waitsForLock, update: update
    ) { target in
      found.withLock { $0.append(target) }
    }
    return (found.withLock { $0 }, answer)
  }
}
