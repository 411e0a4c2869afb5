import Basics

/// The docker-archive that a runtime still needs to hold an image: the layers above those it has.
///
/// Docker opens a layer's file only when it lacks the layer, and knows a layer by all that lies
/// below it. So what may be left out is a run of layers from the bottom up, never one in the middle.
/// Source: https://github.com/moby/moby/blob/v20.10.24/image/tarexport/load.go
package struct PartialArchive: Sendable {
  package let stream: ImageStream
  package let layersSent: Int

  private struct Entry: Encodable {
    enum CodingKeys: String, CodingKey {
      case config = "Config"
      case tags = "RepoTags"
      case layers = "Layers"
    }

    var config: String
    var tags: [String]
    var layers: [String]
  }

  /// - Parameters:
  ///   - archive: The image.
  ///   - references: The names that it is to have there.
  ///   - knownLayers: How many of its layers, from the bottom, the runtime has.
  ///   - hasPlaceholders: Known layers are members without content. podman wants every layer that
  ///     the manifest names to be there, but reads only those that it lacks; the content of one that
  ///     it lacks after all does not match its digest.
  package init(
    _ archive: ImageArchive, as references: [ImageReference], knownLayers: Int,
    hasPlaceholders: Bool = false
  ) {
    precondition(knownLayers <= archive.layers.count, "an image has no more layers than it has")
    let config = "\(archive.configDigest.hexadecimal).json"
    let entry = Entry(
      config: config, tags: references.map(\.description),
      layers: archive.layers.map { Self.memberName($0) })
    var stream = ImageStream()
    stream.appendMember(DockerArchive.manifestName, JSON.encode([entry]))
    stream.appendMember(config, archive.config)
    // Layers of equal content, such as empty ones, share a member.
    var sent: Set<Digest> = []
    for layer in archive.layers[knownLayers...] where sent.insert(layer.diffID).inserted {
      stream.appendMember(Self.memberName(layer), layer.blob, expecting: layer.digest)
    }
    layersSent = sent.count
    if hasPlaceholders {
      for layer in archive.layers[..<knownLayers] where sent.insert(layer.diffID).inserted {
        stream.appendMember(Self.memberName(layer), [])
      }
    }
    stream.appendEnd()
    self.stream = stream
  }

  private static func memberName(_ layer: ImageLayer) -> String {
    "\(layer.diffID.hexadecimal).tar"
  }
}
