import Basics
import Events

/// What became of a cycle's images, in few words.
struct CycleSummary: Sendable {
  private let images: [Event.ImageChanged]
  private let batch: Event.BatchClosed?

  /// - Parameter images: The last word on each image and runtime.
  init(_ images: [Event.ImageChanged], of batch: Event.BatchClosed?) {
    self.images = images
    self.batch = batch
  }

  private func names(_ statuses: Event.ImageChanged.Status...) -> Set<String> {
    Set(images.filter { statuses.contains($0.status) }.map(\.image))
  }

  private var loaded: Set<String> { names(.loaded, .live) }

  private var same: Set<String> { names(.unchanged).subtracting(loaded) }

  /// For a cycle in which all went well.
  var text: String {
    if batch?.cause == "start" {
      let count = (batch?.images.count ?? 0)
      let parts = [
        loaded.isEmpty ? nil : "\(loaded.count) loaded", same.isEmpty ? nil : "\(same.count) same",
      ]
      .compactMap(\.self)
      return "\(count) current" + (parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))")
    }
    let built = names(.built)
    if loaded.count == 1, same.isEmpty,
      let image = images.first(where: { [.loaded, .live].contains($0.status) })
    {
      guard let name = image.refs?.first ?? image.ref else { return image.image + " loaded" }
      return "\(image.image) → \(name)"
    }
    if loaded.isEmpty, same.count == 1 { return "\(same.joined()) unchanged" }
    if loaded.isEmpty, same.isEmpty {
      return built.isEmpty ? "nothing to do" : "\(Quantity.list(built.sorted())) built"
    }
    return parts.joined(separator: ", ")
  }

  private var parts: [String] {
    [
      loaded.isEmpty ? nil : "\(loaded.count) loaded",
      same.isEmpty ? nil : "\(same.count) unchanged",
    ].compactMap(\.self)
  }

  /// Bytes that went to runtimes; `nil`: none did.
  var size: String? {
    let bytes = images.reduce(0) { $0 + ($1.bytesSent ?? 0) }
    return bytes > 0 ? Quantity.bytes(bytes) : nil
  }

  /// For a cycle in which something failed.
  func broken(_ ended: Event.CycleEnded, by causes: Int) -> String {
    let stuck = ended.failed + ended.heldUp
    let all = max(batch?.images.count ?? 0, stuck)
    let held = "\(stuck) of \(all) held up by \(Quantity.text(causes, "error"))"
    return ([held] + parts).joined(separator: ", ")
  }
}
