package import Basics
package import Images
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

  /// Containers that run and may have been made from an image of one of these names.
  ///
  /// An engine lists a container by its image's ID once the name stands for another image; only those, and those of
  /// these names, are looked at one by one.
  package func runningContainers(from names: Set<ImageReference>) async throws -> [RunningContainer]
  {
    let list = try await get(JSON.self, "/containers/json", limit: .seconds(60), orMissing: false)
    var found: [RunningContainer] = []
    for container in list?.array ?? [] {
      guard let id = container["Id"]?.string, let image = container["Image"]?.string else {
        continue
      }
      let isID = image.hasPrefix("sha256:") || (image.count >= 12 && image.allSatisfy(\.isHexDigit))
      guard isID || ImageReference(image).map(names.contains) == true else { continue }
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
