/// The effect of a change on the images.
package struct Effect: Hashable, Sendable {
  /// Names of the images that it can change.
  package var images: Set<String> = []
  /// The graph itself may have changed: the index is to be made anew before the build.
  package var isStale = false

  package init(images: Set<String> = [], isStale: Bool = false) {
    self.images = images
    self.isStale = isStale
  }

  package mutating func formUnion(_ other: Effect) {
    images.formUnion(other.images)
    isStale = isStale || other.isStale
  }
}
