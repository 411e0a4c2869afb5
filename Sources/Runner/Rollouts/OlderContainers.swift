package import Events
package import Graph
import Images
package import Runtimes

/// Looks which containers run an older image than the one that was loaded, and will not be restarted: loaded is not
/// running, and it is better to be told than to wonder.
package actor OlderContainers {
  private let engines: [EngineClient]
  /// Names of images that a rollout takes care of.
  private let rolled: Set<String>
  private let log: EventHub
  /// Containers that have been told of: each once a run.
  private var told: Set<String> = []

  /// - Parameters:
  ///   - images: Those of the run.
  ///   - runtimes: Where they go; engines are asked, others have no containers.
  ///   - log: Told, and followed.
  package init(of images: [ImageTarget], in runtimes: [any ImageRuntime], log: EventHub) {
    engines = runtimes.compactMap { ($0 as? DockerEngine)?.client }
    rolled = Set(images.filter { $0.rollout != nil }.map(\.name))
    self.log = log
  }

  /// Looks after each cycle, until the task is cancelled.
  package func run() async {
    guard !engines.isEmpty else { return }
    var loaded: [Event.ImageChanged] = []
    for await reading in log.events(since: 0) {
      guard case .event(let event) = reading else { continue }
      switch event.kind {
      case .image(let image) where [.loaded, .unchanged].contains(image.status):
        if !rolled.contains(image.image) { loaded.append(image) }
      case .cycle:
        await look(loaded)
        loaded = []
      default: break
      }
    }
  }

  /// - Parameter images: Loaded ones that no rollout takes care of.
  func look(_ images: [Event.ImageChanged]) async {
    let names = Set(
      images.flatMap(\.names).compactMap { ImageReference($0) }.flatMap { [$0, $0.local] })
    guard !names.isEmpty else { return }
    for engine in engines {
      // An engine that does not answer is told of elsewhere.
      for container in (try? await engine.runningContainers(from: names)) ?? []
      where !told.contains(container.id) {
        guard
          let image = images.first(where: {
            $0.runtime == engine.runtime && container.isOlder(than: $0)
          })
        else { continue }
        told.insert(container.id)
        log.record(.degraded(reason: Self.text(image.image, container)))
      }
    }
  }

  private static func text(_ image: String, _ container: RunningContainer) -> String {
    let rollout =
      container.composeService.map { "{compose: \($0)}" } ?? "{container: \(container.name)}"
    return
      "\(image) runs in container \(container.name) with an older image; to have it restarted, add rollout: \(rollout)"
  }
}

extension RunningContainer {
  fileprivate func isOlder(than image: Event.ImageChanged) -> Bool {
    guard let id = image.id?.split(separator: ":").last, !self.image.hasSuffix(id) else {
      return false
    }
    guard let own = ImageReference(imageName) else { return false }
    return image.names.contains { name in
      guard let reference = ImageReference(name) else { return false }
      return reference == own || reference.local == own
    }
  }
}

extension Event.ImageChanged {
  fileprivate var names: [String] { refs ?? [ref].compactMap(\.self) }
}
