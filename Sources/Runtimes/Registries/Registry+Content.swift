import Images

extension Registry {
  /// One image on its way.
  struct Push: Sendable {
    var image: LayoutImage
    var reference: ImageReference
    var repository: String

    var access: RegistryAccess { RegistryAccess(repository: repository) }

    func name(at address: RegistryAddress) -> String {
      "\(address.host)/\(repository):\(reference.tag)"
    }
  }

  struct Content: Sendable {
    var digest: Digest
    var stream: ImageStream
    /// `nil`: the configuration.
    var layer: ImageLayer?

    init(digest: Digest, bytes: [UInt8]) {
      self.digest = digest
      stream = ImageStream()
      stream.appendBytes(bytes)
    }

    /// - Parameter layer: One that is here.
    init(digest: Digest, layer: ImageLayer) {
      self.digest = digest
      self.layer = layer
      stream = ImageStream()
      stream.appendBlob(layer.blob, expecting: digest, unpacked: layer.unpackedDigest)
    }
  }
}
