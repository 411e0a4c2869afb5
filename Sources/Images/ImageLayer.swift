/// One layer of an image, where it lies.
package struct ImageLayer: Sendable {
  /// The digest of the uncompressed tar, as the configuration says: what runtimes know it by.
  package let diffID: Digest
  /// The digest of the stored bytes, where it is known without reading them. Verified when they are
  /// sent.
  package let digest: Digest?
  /// The compression that the stored bytes begin with. Runtimes go by this, not by the media type.
  package let compression: Compression
  /// The number of stored bytes.
  package let size: Int64

  /// `nil`: the layer is not on disk.
  private var stored: Blob?
  private let supply: LayerSupply

  package enum Compression: Hashable, Sendable { case none, gzip, zstd }

  /// The layer's bytes are on disk and can be read.
  package var isHere: Bool { stored != nil }

  /// The stored bytes of a layer that is here.
  package var blob: Blob {
    guard let stored else { preconditionFailure("a layer is fetched before it is read") }
    return stored
  }

  /// Locates a layer whose bytes are here.
  ///
  /// - Throws: `ImageArchiveError` when the layer's first bytes can't be read or are of a
  ///   compression that no runtime knows.
  init(diffID: Digest, digest: Digest?, blob: Blob, member: String) throws(ImageArchiveError) {
    let start = try blob.read(at: 0, count: Int(min(6, blob.size)))
    switch TarReader.compression(of: start) {
    case nil: compression = .none
    case "gzip": compression = .gzip
    case "zstd": compression = .zstd
    case let other?:
      throw ImageArchiveError(
        path: blob.file.path, member: member, reason: .unsupportedMediaType("\(other) layer"))
    }
    self.diffID = diffID
    // An uncompressed layer is its own diff.
    self.digest = compression == .none ? diffID : digest
    size = blob.size
    stored = blob
    supply = LayerSupply()
  }

  /// A layer that is not on disk: many a runtime has it, and it can be had from elsewhere.
  init(diffID: Digest, digest: Digest, size: Int64, mediaType: String, supply: LayerSupply) {
    self.diffID = diffID
    self.digest = digest
    self.size = size
    compression =
      if mediaType.hasSuffix("gzip") { .gzip } else if mediaType.hasSuffix("zstd") {
        .zstd
      } else { .none }
    stored = nil
    self.supply = supply
  }

  /// The layer with its bytes here: fetched, if need be.
  ///
  /// - Throws: `ImageArchiveError` when it can't be had; `CancellationError`.
  package func fetched(for path: ImageArchive) async throws -> ImageLayer {
    guard stored == nil, let digest else { return self }
    var layer = self
    layer.stored = try await supply.blob(of: digest, size: size, for: path.path)
    return layer
  }
}

extension ImageArchive {
  /// The image with the layers here that are needed.
  ///
  /// - Throws: As `ImageLayer.fetched(for:)`.
  package func fetching(
    where isNeeded: (ImageLayer) -> Bool = { _ in true }
  ) async throws -> ImageArchive {
    guard layers.contains(where: { !$0.isHere && isNeeded($0) }) else { return self }
    var image = self
    for (index, layer) in layers.enumerated() where isNeeded(layer) {
      image.layers[index] = try await layer.fetched(for: self)
    }
    return image
  }

  /// The image with the layers here that lie above so many.
  package func fetching(above count: Int) async throws -> ImageArchive {
    let needed = Set(layers[count...].map(\.diffID))
    return try await fetching { needed.contains($0.diffID) }
  }
}
