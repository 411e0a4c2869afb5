import Basics
import Images

/// One image on its way into containerds.
struct LayoutLoad: Sendable {
  var image: LayoutImage
  /// All its names, of which there is at least one.
  var references: [ImageReference]
  /// Others of its lot may be sent by another task.
  var progress = LoadProgress.current

  /// The name by which messages call it.
  var reference: ImageReference { references[0] }

  /// Its names as containerd stores them.
  var names: [String] { references.map(\.normalized).distinct }

  func result(isChanged: Bool, _ shares: [LayoutArchive.Share]) -> LoadResult {
    LoadResult(
      isChanged: isChanged, id: image.manifest.digest,
      bytesSent: shares.reduce(0) { $0 + $1.bytes }, layersSent: shares.map(\.layers).max() ?? 0,
      layersTotal: image.archive.layers.count)
  }
}
