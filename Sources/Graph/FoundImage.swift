/// An image that Bazel was asked about: what stands for it, and what is to be built.
package struct FoundImage: Hashable, Sendable {
  /// Why it is an image.
  package enum Reason: Hashable, Sendable {
    /// Its rule is of a known class.
    case kind(String)
    /// It is tagged `watchbuild`.
    case tag
    /// Somebody named it.
    case named
    /// A query has answered with it.
    case query
  }

  /// The rule that stands for it: a loader where there is one.
  package var label: Label
  package var source: ImageSource
  package var reason: Reason

  package init(label: Label, source: ImageSource? = nil, reason: Reason = .named) {
    self.label = label
    self.source = source ?? ImageSource(archiveOf: label)
    self.reason = reason
  }
}

/// Bazel's answer about images.
package struct FoundImages: Hashable, Sendable {
  /// The images that the search found, sorted by label; may be empty.
  package var images: [FoundImage]
  /// The targets that were asked for by label and are there.
  package var named: [Label: FoundImage]
  /// Some packages could not be loaded, so there may be more.
  package var isPartial: Bool

  package init(images: [FoundImage] = [], named: [Label: FoundImage] = [:], isPartial: Bool = false)
  {
    self.images = images
    self.named = named
    self.isPartial = isPartial
  }
}
