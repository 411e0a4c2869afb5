import Events

/// What loads have sent in this run, and what runtimes had already.
package struct SentBytes: Equatable, Encodable, Sendable {
  package var bytes: Int64 = 0
  package var layersSent = 0
  package var layersKept = 0
  /// Loads in which something was sent.
  package var loads = 0
  /// Loads of images that the runtime had already.
  package var unchanged = 0

  mutating func add(_ event: Event) {
    guard case .image(let image) = event.kind, image.step == "load", image.runtime != nil,
      image.status == .loaded || image.status == .unchanged
    else { return }
    let (sent, total) = (image.layersSent ?? 0, image.layersTotal ?? 0)
    bytes += image.bytesSent ?? 0
    layersSent += sent
    layersKept += max(0, total - sent)
    if image.status == .loaded { loads += 1 } else { unchanged += 1 }
  }
}
