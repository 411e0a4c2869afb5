package import Graph

/// Decides which images are built together, and in which order.
///
/// Images share a group exactly when their batch keys are equal; groups with one key follow each
/// other, so that Bazel's analysis cache survives; `requires` puts an image's group into a later
/// stage than those of what it requires.
package struct Plan: Hashable, Sendable {
  /// One `bazel build`.
  package struct Group: Hashable, Sendable {
    package var key: BatchKey
    package var images: [ImageTarget]

    package init(key: BatchKey, images: [ImageTarget]) {
      self.key = key
      self.images = images
    }
  }

  /// Each stage begins when the images of the one before have been loaded.
  package private(set) var stages: [[Group]]

  /// - Parameters:
  ///   - owed: Names of the images to build.
  ///   - images: All configured images; `requires` has no cycle among them.
  ///   - buildConcurrency: At most so many images a group; 0: no limit.
  package init(owed: Set<String>, images: [ImageTarget], buildConcurrency: Int = 0) {
    var waiting = images.filter { owed.contains($0.name) }
    stages = []
    while !waiting.isEmpty {
      let names = Set(waiting.map(\.name))
      var stage = waiting.filter { names.isDisjoint(with: $0.requires) }
      // A cycle is refused when the configuration is read; should one get here, nothing is lost.
      if stage.isEmpty { stage = waiting }
      stages.append(Self.groups(of: stage, limit: buildConcurrency))
      let done = Set(stage.map(\.name))
      waiting.removeAll { done.contains($0.name) }
    }
  }

  private static func groups(of images: [ImageTarget], limit: Int) -> [Group] {
    Dictionary(grouping: images, by: \.key)
      .sorted { $0.key < $1.key }
      .flatMap { key, images in
        chunks(of: images, limit: limit).map { Group(key: key, images: $0) }
      }
  }

  private static func chunks(of images: [ImageTarget], limit: Int) -> [[ImageTarget]] {
    guard limit > 0 else { return [images] }
    return stride(from: 0, to: images.count, by: limit).map {
      Array(images[$0..<min($0 + limit, images.count)])
    }
  }
}
