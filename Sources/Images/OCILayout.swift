/// The OCI image layout: `index.json`, and blobs named by their digest.
///
/// Source: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
package enum OCILayout {
  package static let indexName = "index.json"
  package static let layoutName = "oci-layout"
  package static let layout = Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)
  package static let referenceKey = "org.opencontainers.image.ref.name"
  /// Where containerd looks for an image's full name.
  package static let imageNameKey = "io.containerd.image.name"

  package enum MediaType {
    package static let index = "application/vnd.oci.image.index.v1+json"
    package static let manifest = "application/vnd.oci.image.manifest.v1+json"
    static let config = "application/vnd.oci.image.config.v1+json"
    static let layer = "application/vnd.oci.image.layer.v1.tar"
    package static let dockerManifestList =
      "application/vnd.docker.distribution.manifest.list.v2+json"
    package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
  }

  package struct Descriptor: Codable {
    var mediaType: String?
    package var digest: String
    package var size: Int64
    var platform: Platform?
    var annotations: [String: String]?
  }

  struct Index: Codable {
    var schemaVersion: Int? = 2
    var mediaType: String?
    var manifests: [Descriptor]?
  }

  package struct Manifest: Codable {
    var schemaVersion: Int? = 2
    var mediaType: String?
    package var config: Descriptor
    package var layers: [Descriptor]?
  }

  package static func blobName(_ digest: Digest) -> String { "blobs/sha256/\(digest.hexadecimal)" }
}

extension OCILayout {
  /// An index in an index in an index …: no tool nests deeper than two.
  private static let depthLimit = 4

  static func read(
    _ index: Blob, _ members: ArchiveMembers
  ) throws(ImageArchiveError) -> ImageArchive {
    let bytes = try members.read(index, named: indexName)
    let chosen = try choose(from: bytes, named: indexName, members, depth: 0)
    let (manifest, descriptor) = (chosen.manifest, chosen.descriptor)
    let name = blobName(manifest.digest)
    let content = try members.decode(Manifest.self, from: manifest.bytes, named: name)
    let (config, _) = try verified(content.config, members)
    let configName = blobName(Digest(of: config))
    let value = try members.config(config, named: configName)
    let diffIDs = try members.diffIDs(of: value, named: configName)
    let descriptors = content.layers ?? []
    guard descriptors.count == diffIDs.count else {
      throw members.error(name, .layerCount(manifest: descriptors.count, config: diffIDs.count))
    }
    var layers: [ImageLayer] = []
    for (layer, diffID) in zip(descriptors, diffIDs) {
      let (blob, digest) = try locate(layer, members)
      layers.append(
        try ImageLayer(diffID: diffID, digest: digest, blob: blob, member: blobName(digest)))
    }
    return ImageArchive(
      path: members.path, config: config, configDigest: Digest(of: config), layers: layers,
      tags: tags(descriptor.annotations ?? [:]), manifest: manifest)
  }

  /// The manifest of the only image, or of the one for this machine.
  private static func choose(
    from bytes: [UInt8], named name: String, _ members: ArchiveMembers, depth: Int
  ) throws(ImageArchiveError) -> (manifest: ImageManifest, descriptor: Descriptor) {
    let index = try members.decode(Index.self, from: bytes, named: name)
    // Build attestations are listed beside the images, for the platform "unknown/unknown".
    let images = (index.manifests ?? []).filter { $0.platform?.os != "unknown" }
    guard let first = images.first else { throw members.error(name, .emptyManifest) }
    let descriptor: Descriptor
    if let match = images.first(where: { $0.platform == .host }) {
      descriptor = match
    } else if images.count == 1 || images.contains(where: { $0.platform == nil }) {
      descriptor = images.first { $0.platform == nil } ?? first
    } else {
      let found = images.compactMap { $0.platform?.description }
      throw members.error(name, .noPlatform(wanted: Platform.host.description, found: found))
    }
    let (content, digest) = try verified(descriptor, members)
    switch descriptor.mediaType {
    case MediaType.manifest, MediaType.dockerManifest:
      let manifest = ImageManifest(
        bytes: content, digest: digest, mediaType: descriptor.mediaType ?? MediaType.manifest)
      return (manifest, descriptor)
    case MediaType.index, MediaType.dockerManifestList:
      guard depth < depthLimit else { throw members.error(name, .emptyManifest) }
      var chosen = try choose(
        from: content, named: blobName(digest), members, depth: depth + 1)
      // The name stands on the outermost descriptor.
      let outer = descriptor.annotations ?? [:]
      let inner = chosen.descriptor.annotations ?? [:]
      chosen.descriptor.annotations = inner.merging(outer) { _, outer in outer }
      return chosen
    default:
      throw members.error(name, .unsupportedMediaType(descriptor.mediaType ?? "none"))
    }
  }

  /// The bytes of a JSON blob that are what their digest says.
  private static func verified(
    _ descriptor: Descriptor, _ members: ArchiveMembers
  ) throws(ImageArchiveError) -> (bytes: [UInt8], digest: Digest) {
    let (blob, digest) = try locate(descriptor, members)
    let bytes = try members.read(blob, named: blobName(digest))
    let actual = Digest(of: bytes)
    guard actual == digest else {
      throw members.error(
        blobName(digest), .digestMismatch(expected: digest, actual: actual))
    }
    return (bytes, digest)
  }

  private static func locate(
    _ descriptor: Descriptor, _ members: ArchiveMembers
  ) throws(ImageArchiveError) -> (blob: Blob, digest: Digest) {
    guard let digest = Digest(descriptor.digest) else {
      throw members.error(indexName, .invalidDigest(descriptor.digest))
    }
    let blob = try members.find(digest)
    guard blob.size == descriptor.size else {
      throw members.error(
        blobName(digest), .sizeMismatch(expected: descriptor.size, actual: blob.size))
    }
    return (blob, digest)
  }

  /// A bare tag such as `latest`, which the format allows, says nothing about the image's name.
  private static func tags(_ annotations: [String: String]) -> [ImageReference] {
    let names = [annotations[imageNameKey], annotations[referenceKey]].compactMap { $0 }
    let full = names.first { $0.contains("/") || $0.contains(":") }
    return full.flatMap(ImageReference.init).map { [$0] } ?? []
  }
}
