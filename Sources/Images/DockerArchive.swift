/// The format of `docker save`: a `manifest.json` that names a configuration and layers.
///
/// Source: https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format
enum DockerArchive {
  static let manifestName = "manifest.json"

  private struct Entry: Decodable {
    enum CodingKeys: String, CodingKey {
      case config = "Config"
      case tags = "RepoTags"
      case layers = "Layers"
    }

    var config: String
    var tags: [String]?
    var layers: [String]?
  }

  static func read(
    _ manifest: Blob, _ members: ArchiveMembers
  ) throws(ImageArchiveError) -> ImageArchive {
    let bytes = try members.read(manifest, named: manifestName)
    // Docker takes `null` for an empty list and reports success.
    let entries = try members.decode([Entry]?.self, from: bytes, named: manifestName) ?? []
    guard let entry = try choose(entries, members) else {
      throw members.error(manifestName, .emptyManifest)
    }
    let config = try configuration(entry, members)
    let diffIDs = try members.diffIDs(of: config.value, named: entry.config)
    let names = entry.layers ?? []
    guard names.count == diffIDs.count else {
      throw members.error(
        manifestName, .layerCount(manifest: names.count, config: diffIDs.count))
    }
    var layers: [ImageLayer] = []
    for (name, diffID) in zip(names, diffIDs) {
      guard let blob = try members.find(name) else { throw members.error(name, .missing) }
      layers.append(try ImageLayer(diffID: diffID, digest: digest(name), blob: blob, member: name))
    }
    return ImageArchive(
      path: members.path, config: config.bytes, configDigest: Digest(of: config.bytes),
      layers: layers, tags: (entry.tags ?? []).compactMap(ImageReference.init), manifest: nil)
  }

  /// The only image, else the first for this machine, else the first.
  private static func choose(
    _ entries: [Entry], _ members: ArchiveMembers
  ) throws(ImageArchiveError) -> Entry? {
    guard entries.count > 1 else { return entries.first }
    for entry in entries {
      if try configuration(entry, members).value.platform == .host { return entry }
    }
    return entries.first
  }

  private static func configuration(
    _ entry: Entry, _ members: ArchiveMembers
  ) throws(ImageArchiveError) -> (bytes: [UInt8], value: ImageConfig) {
    guard let blob = try members.find(entry.config) else {
      throw members.error(entry.config, .missing)
    }
    let bytes = try members.read(blob, named: entry.config)
    return (bytes, try members.config(bytes, named: entry.config))
  }

  /// The digest that a member is named by: `blobs/sha256/…` where the tar is an OCI layout too.
  private static func digest(_ name: String) -> Digest? {
    let prefix = "blobs/sha256/"
    return name.hasPrefix(prefix) ? Digest("sha256:\(name.dropFirst(prefix.count))") : nil
  }
}
