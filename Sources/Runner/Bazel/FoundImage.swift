package import Batching

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

extension Bazel {
  /// Looks for image targets in the whole workspace: one `bazel query`.
  ///
  /// Finds rules of the known kinds and rules tagged `watchbuild`.
  ///
  /// - Returns: What was found, sorted by label; may be empty.
  package func findImages(
    waitsForLock: Bool = true, update: @escaping @Sendable (BuildUpdate) -> Void = { _ in }
  ) async throws -> [FoundImage] {
    []
  }

  /// The targets that a query expression or target pattern stands for, sorted by label.
  package func expand(
    _ expression: String, waitsForLock: Bool = true,
    update: @escaping @Sendable (BuildUpdate) -> Void = { _ in }
  ) async throws -> [FoundImage] {
    []
  }
}
