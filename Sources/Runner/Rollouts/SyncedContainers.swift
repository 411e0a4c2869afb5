import Images
import Synchronization

/// Remembers, for a run, which files were written into which containers, and the files of the images that were seen.
package final class SyncedContainers: Sendable {
  /// So many images are remembered; the layers that they share are kept once.
  private static let limit = 64

  private struct State {
    /// By container ID.
    var held: [String: ImageFiles] = [:]
    /// The newest last, each with the IDs by which engines know it.
    var images: [(ids: Set<String>, files: ImageFiles)] = []
  }

  let layers = LayerMemory()
  private let state = Mutex(State())

  package init() {}

  /// Remembers an image's files: it may be the older one of the next time.
  func learn(_ files: ImageFiles, as image: RolledImage) {
    let ids = Set(([image.configDigest] + image.loaded.values).map { String($0.hexadecimal) })
    state.withLock { state in
      state.images.removeAll { $0.files.id == files.id }
      state.images.append((ids, files))
      if state.images.count > Self.limit { state.images.removeFirst() }
    }
  }

  /// The files of an image that this run has seen, by its ID as an engine shows it.
  func image(_ id: String) -> ImageFiles? {
    let id = String(id.split(separator: ":").last ?? "")
    return state.withLock { $0.images.last { $0.ids.contains(id) }?.files }
  }

  /// The image whose files this run has written into a container; `nil`: it has written none.
  func held(by container: String) -> ImageFiles? { state.withLock { $0.held[container] } }

  func hold(_ image: ImageFiles?, in container: String) {
    state.withLock { $0.held[container] = image }
  }
}
