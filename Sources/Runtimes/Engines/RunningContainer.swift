package import Basics
import NIOCore

/// A container that runs, as far as it matters for which image it has.
package struct RunningContainer: Hashable, Sendable {
  package var id: String
  package var name: String
  /// The ID of its image.
  package var image: String
  /// The image's name, as whoever made the container gave it.
  package var imageName: String
  /// Its service, where compose made it.
  package var composeService: String?
}

extension EngineClient {
  /// Containers that run and have a label, with all their labels.
  package func containers(
    labelled key: String, _ value: String
  ) async throws -> [(id: String, labels: [String: JSON])] {
    let filter = JSON.object(["label": .array([.string("\(key)=\(value)")])])
    let text = String(decoding: JSON.encode(filter), as: UTF8.self)
    let list = try await get(
      JSON.self, "/containers/json?filters=\(text.percentEncoded)", limit: .seconds(60),
      orMissing: false)
    return (list?.array ?? []).compactMap { container in
      container["Id"]?.string.map { ($0, container["Labels"]?.fields ?? [:]) }
    }
  }

  /// All containers that run.
  package func runningContainers() async throws -> [RunningContainer] {
    let list = try await get(JSON.self, "/containers/json", limit: .seconds(60), orMissing: false)
    var found: [RunningContainer] = []
    for id in (list?.array ?? []).compactMap({ $0["Id"]?.string }) {
      // One that has ended meanwhile runs nothing.
      guard let spec = try await containerSpec(id) else { continue }
      let labels = spec.container["Config"]?["Labels"]
      found.append(
        RunningContainer(
          id: id, name: spec.name, image: spec.image, imageName: spec.imageName,
          composeService: labels?["com.docker.compose.service"]?.string))
    }
    return found
  }
}
