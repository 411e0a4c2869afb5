import Bazel
import Graph

/// What one build leaves to be built in another way.
struct UselessWays {
  var images: [ImageTarget] = []
  /// Targets of which rules_img makes no whole layout.
  var shallow: Set<Label> = []
  /// Bazel's server may not have seen what was saved: all is to be built again, and it looks at every file.
  var isUnseen = false

  func explains(_ update: BuildUpdate) -> Bool {
    guard case .diagnostic(let diagnostic) = update else { return false }
    return diagnostic.isOfLayout(of: shallow)
  }
}

extension Diagnostic {
  /// Whether it says that one of the targets, or its layout, could not be made.
  func isOfLayout(of targets: Set<Label>) -> Bool {
    if let target { return targets.contains(target) }
    // Bazel names the action and what it makes, not the target: "OCILayout app/image_oci_layout failed: (Exit 1)".
    return targets.contains { message.contains("OCILayout \($0.path)_") }
  }
}

extension PlannedImage {
  var mayBeShallow: Bool {
    way.form == .layout && image.source.ways.contains { $0.form == .sparseLayout }
  }
}
