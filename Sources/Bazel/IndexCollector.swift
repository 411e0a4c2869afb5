import Graph
import Synchronization
import SystemPackage

/// Makes an index of a query's entries while they come, from the reader's task.
final class IndexCollector: Sendable {
  private let builder: Mutex<TargetIndex.Builder>

  init(workspace: FilePath) {
    builder = Mutex(TargetIndex.Builder(workspace: workspace))
  }

  func add(_ entry: QueryEntry) { builder.withLock { $0.add(entry) } }

  /// The index of all that came; what `base` knew stays known.
  func index(
    of images: [ImageTarget], adding base: TargetIndex?, isPartial: Bool,
    joined: Set<LabelPattern>
  ) -> TargetIndex {
    builder.withLock { builder in
      if let base { builder.merge(base) }
      return builder.build(images: images, isPartial: isPartial, joined: joined)
    }
  }
}
