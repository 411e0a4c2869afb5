import Basics
import Synchronization

/// The files of an image, as far as they are known, and all else that a container is made from.
package struct ImageFiles: Sendable {
  /// A layer: its diff ID, and its entries where they are known.
  struct Layer: Sendable {
    var diffID: Digest
    var files: LayerFiles?
  }

  package let id: Digest
  /// The configuration but for the layers: entry point, user, environment, labels.
  let settings: JSON?
  let layers: [Layer]

  /// Lists the files of an image. Reads all layers that the memory does not know.
  package init(_ archive: ImageArchive, memory: LayerMemory) {
    id = archive.configDigest
    settings = Self.settings(archive.config)
    layers = archive.layers.map { Layer(diffID: $0.diffID, files: memory.files(of: $0)) }
  }

  private static func settings(_ config: [UInt8]) -> JSON? {
    // It was decoded when the archive was opened, and so can be again.
    guard let fields = (try? JSON.decode(JSON.self, from: config))?.fields else { return nil }
    return .object(
      fields.filter { ["config", "architecture", "os", "variant"].contains($0.key) })
  }
}

/// Remembers the entries of layers. Bounded; may be used by any task.
package final class LayerMemory: Sendable {
  /// Entries of all layers together.
  private static let limit = 400_000

  private struct State {
    var layers: [Digest: LayerFiles?] = [:]
    var order: [Digest] = []
    var count = 0
  }

  private let state = Mutex(State())

  package init() {}

  func files(of layer: ImageLayer) -> LayerFiles? {
    if let known = state.withLock({ $0.layers[layer.diffID] }) { return known }
    let files = layer.files()
    state.withLock { state in
      guard state.layers.updateValue(files, forKey: layer.diffID) == nil else { return }
      state.order.append(layer.diffID)
      state.count += files?.entries.count ?? 0
      while state.count > Self.limit, state.order.count > 1 {
        let oldest = state.order.removeFirst()
        state.count -= state.layers.removeValue(forKey: oldest)??.entries.count ?? 0
      }
    }
    return files
  }
}
