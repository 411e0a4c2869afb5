import Basics

/// The format of `docker save`: a `manifest.json` that names configurations and layers.
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

  /// More images than any bundle has: each costs the reading of its configuration.
  private static let imageLimit = 1000

  static func read(
    _ manifest: Blob, _ members: ArchiveMembers
  ) throws(ImageArchiveError) -> [ImageArchive] {
    let bytes = try members.read(manifest, named: manifestName)
    // Docker takes `null` for an empty list and reports success.
    let entries = try members.decode([Entry]?.self, from: bytes, named: manifestName) ?? []
    guard entries.count <= imageLimit else {
      throw members.error(manifestName, .tooManyValues(limit: imageLimit))
    }
    let candidates = try merged(entries, members)
    guard !candidates.isEmpty else { throw members.error(manifestName, .emptyManifest) }
    var chosen = HostImages.chosen(
      among: candidates.map { .init(platform: $0.config.platform, names: Set($0.tags)) })
    // An image for another machine is better than none, where docker takes it, too.
    if chosen.isEmpty { chosen = [0] }
    var images: [ImageArchive] = []
    for index in chosen { images.append(try image(candidates[index], members)) }
    return images
  }

  /// An entry with its configuration, and all names of equal entries.
  private struct Candidate {
    var entry: Entry
    var bytes: [UInt8]
    var config: ImageConfig
    var tags: [String]
  }

  private static func merged(
    _ entries: [Entry], _ members: ArchiveMembers
  ) throws(ImageArchiveError) -> [Candidate] {
    var candidates: [Candidate] = []
    var places: [Digest: Int] = [:]
    for entry in entries {
      guard let blob = try members.find(entry.config) else {
        throw members.error(entry.config, .missing)
      }
      let bytes = try members.read(blob, named: entry.config)
      let digest = Digest(of: bytes)
      if let place = places[digest] {
        candidates[place].tags += entry.tags ?? []
      } else {
        places[digest] = candidates.count
        candidates.append(
          Candidate(
            entry: entry, bytes: bytes, config: try members.config(bytes, named: entry.config),
            tags: entry.tags ?? []))
      }
    }
    return candidates
  }

  private static func image(
    _ candidate: Candidate, _ members: ArchiveMembers
  ) throws(ImageArchiveError) -> ImageArchive {
    let diffIDs = try members.diffIDs(of: candidate.config, named: candidate.entry.config)
    let names = candidate.entry.layers ?? []
    guard names.count == diffIDs.count else {
      throw members.error(
        manifestName, .layerCount(manifest: names.count, config: diffIDs.count))
    }
    var layers: [ImageLayer] = []
    for (name, diffID) in zip(names, diffIDs) {
      guard let blob = try members.find(name) else { throw members.error(name, .missing) }
      layers.append(try ImageLayer(diffID: diffID, digest: digest(name), blob: blob, member: name))
    }
    var image = ImageArchive(
      path: members.path, config: candidate.bytes, configDigest: Digest(of: candidate.bytes),
      layers: layers, tags: [], manifest: nil)
    image.take(names: candidate.tags)
    return image
  }

  /// The digest that a member is named by: `blobs/sha256/HEX` where the tar is an OCI layout too, and
  /// `blobs/sha256/HEX.tar.gz` as rules_oci calls its layers, whatever their compression.
  static func digest(_ name: String) -> Digest? {
    let prefix = "blobs/sha256/"
    guard name.hasPrefix(prefix) else { return nil }
    return Digest("sha256:\(name.dropFirst(prefix.count).prefix { $0 != "." })")
  }
}

extension ImageArchive {
  /// Takes over the names that the archive gives the image.
  mutating func take(names: [String]) {
    tags = names.compactMap(ImageReference.init).distinct
    unusableNames = names.filter { ImageReference($0) == nil }.distinct
  }
}
