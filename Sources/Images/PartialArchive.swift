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

  /// One image's part of an archive.
  package struct Piece: Sendable {
    package var archive: ImageArchive
    /// The names that it is to have there.
    package var references: [ImageReference]
    /// How many of its layers, from the bottom, the runtime has.
    package var knownLayers: Int

    package init(_ archive: ImageArchive, as references: [ImageReference], knownLayers: Int) {
      precondition(knownLayers <= archive.layers.count, "an image has no more layers than it has")
      self.archive = archive
      self.references = references
      self.knownLayers = knownLayers
    }

    fileprivate var configName: String { "\(archive.configDigest.hexadecimal).json" }
  }

  /// - Parameters:
  ///   - piece: The image.
  ///   - hasPlaceholders: Known layers are members without content. podman wants every layer that
  ///     the manifest names to be there, but reads only those that it lacks; the content of one that
  ///     it lacks after all does not match its digest.
  package init(_ piece: Piece, hasPlaceholders: Bool = false) {
    self.init([piece], hasPlaceholders: hasPlaceholders, stream: ImageStream())
  }

  /// Several images in one archive: what they share is sent once.
  ///
  /// - Parameter progress: Told how far it has been read.
  package init(_ pieces: [Piece], telling progress: [LoadProgress]) {
    self.init(pieces, hasPlaceholders: false, stream: ImageStream(telling: progress))
  }

  private init(_ pieces: [Piece], hasPlaceholders: Bool, stream: ImageStream) {
    var stream = stream
    let entries = pieces.map { piece in
      Entry(
        config: piece.configName, tags: piece.references.map(\.description),
        layers: piece.archive.layers.map { Self.memberName($0) })
    }
    stream.appendMember(DockerArchive.manifestName, JSON.encode(entries))
    var configs: Set<Digest> = []
    for piece in pieces where configs.insert(piece.archive.configDigest).inserted {
      stream.appendMember(piece.configName, piece.archive.config)
    }
    // Layers of equal content, such as empty ones, share a member.
    var sent: Set<Digest> = []
    for piece in pieces {
      for layer in piece.archive.layers[piece.knownLayers...]
      where sent.insert(layer.diffID).inserted {
        stream.appendMember(Self.memberName(layer), layer.blob, expecting: layer.digest)
      }
    }
    layersSent = sent.count
    if hasPlaceholders {
      for piece in pieces {
        for layer in piece.archive.layers[..<piece.knownLayers]
        where sent.insert(layer.diffID).inserted {
          stream.appendMember(Self.memberName(layer), [])
        }
      }
    }
    stream.appendEnd()
    self.stream = stream
  }

  private static func memberName(_ layer: ImageLayer) -> String {
    "\(layer.diffID.hexadecimal).tar"
  }
}
