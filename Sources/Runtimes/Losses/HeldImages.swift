package import Images
import Synchronization

/// The images that the runtimes hold by this run's loads, so that it is noticed when somebody else takes one
/// away.
///
/// An image that a cycle is to make is forgotten until it has been loaded: what its name stands for
/// meanwhile is our own doing, or is mended by that load.
package final class HeldImages: Sendable {
  struct Holding: Hashable, Sendable {
    /// As the configuration calls it.
    var image: String
    var id: Digest
    /// Differs for each load, also of the same image.
    fileprivate var number: Int
  }

  private struct Place: Hashable {
    var runtime: String
    var reference: ImageReference
  }

  private struct State {
    var count = 0
    var holdings: [Place: Holding] = [:]
    /// The image that each name was given last, also while it is made anew.
    var latest: [Place: Digest] = [:]
    var listeners: [Int: (runtime: String, news: AsyncStream<Void>.Continuation)] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  /// A runtime has this image under these names now.
  package func hold(
    _ image: String, _ id: Digest, as references: [ImageReference], in runtime: String
  ) {
    let news = state.withLock { state in
      state.count += 1
      for reference in references {
        let place = Place(runtime: runtime, reference: reference)
        state.holdings[place] = Holding(image: image, id: id, number: state.count)
        state.latest[place] = id
      }
      return state.listeners.values.filter { $0.runtime == runtime }.map(\.news)
    }
    for listener in news { listener.yield() }
  }

  /// These images are to be made anew, or are no concern of ours any more.
  package func forget(_ images: Set<String>) {
    state.withLock { state in
      state.holdings = state.holdings.filter { !images.contains($0.value.image) }
    }
  }

  /// Forgets all images but these.
  package func keep(_ images: Set<String>) {
    state.withLock { state in
      state.holdings = state.holdings.filter { images.contains($0.value.image) }
    }
  }

  /// The image that this run gave a name last; `nil`: none yet.
  package func latest(of reference: ImageReference, in runtime: String) -> Digest? {
    state.withLock { $0.latest[Place(runtime: runtime, reference: reference)] }
  }

  /// The images that a runtime should hold.
  func all(in runtime: String) -> [ImageReference: Holding] {
    state.withLock { state in
      var all: [ImageReference: Holding] = [:]
      for (place, holding) in state.holdings where place.runtime == runtime {
        all[place.reference] = holding
      }
      return all
    }
  }

  /// Forgets an image, if nothing has come between.
  ///
  /// - Returns: `false` when it was forgotten or loaded since `holding` was read.
  func take(_ holding: Holding, as reference: ImageReference, from runtime: String) -> Bool {
    let place = Place(runtime: runtime, reference: reference)
    return state.withLock { state in
      guard state.holdings[place] == holding else { return false }
      state.holdings[place] = nil
      return true
    }
  }

  /// Ticks when the runtime has got something; ends with the task that reads it.
  func news(of runtime: String) -> AsyncStream<Void> {
    // One tick says as much as many.
    let (news, continuation) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let id = state.withLock { state in
      state.count += 1
      state.listeners[state.count] = (runtime, continuation)
      if state.holdings.keys.contains(where: { $0.runtime == runtime }) { continuation.yield() }
      return state.count
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { $0.listeners[id] = nil }
    }
    return news
  }
}
