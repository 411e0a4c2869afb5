extension Event {
  /// Bazel was asked which files images depend on.
  package struct Indexed: EventFields {
    package static let type = "index"

    /// Why. One of `start`, `change`; `saved`: it stood on disk and is still true.
    package var reason: String
    /// How many files images depend on.
    package var files: Int
    /// How many images there are.
    package var images: Int
    /// How long it took.
    package var ms: Int
    /// Bazel could not read every package.
    package var partial: Bool

    package init(reason: String, files: Int, images: Int, ms: Int, partial: Bool) {
      self.reason = reason
      self.files = files
      self.images = images
      self.ms = ms
      self.partial = partial
    }
  }
}
