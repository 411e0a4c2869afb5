import Images

/// One image on its way into containerds.
struct LayoutLoad: Sendable {
  var image: LayoutImage
  var reference: ImageReference
  /// Others of its lot may be sent by another task.
  var progress = LoadProgress.current

  func result(isChanged: Bool, _ shares: [LayoutArchive.Share]) -> LoadResult {
    LoadResult(
      isChanged: isChanged, id: image.manifest.digest,
      bytesSent: shares.reduce(0) { $0 + $1.bytes }, layersSent: shares.map(\.layers).max() ?? 0,
      layersTotal: image.archive.layers.count)
  }
}
