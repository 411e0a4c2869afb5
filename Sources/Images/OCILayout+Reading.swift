import Basics

extension OCILayout {
  /// An index in an index in an index …: no tool nests deeper than two.
  private static let depthLimit = 4
  /// More images than any index has: each costs the reading of its manifest and configuration.
  private static let imageLimit = 1000

  /// An image that the outermost index has, perhaps by way of another index.
  private struct Found {
    var manifest: ImageManifest
    var content: Manifest
    var config: [UInt8]
    var value: ImageConfig
    var names: [String]

    var platform: Platform?
  }

  static func read(
    _ index: Blob, _ members: ArchiveMembers
  ) throws(ImageArchiveError) -> [ImageArchive] {
    let bytes = try members.read(index, named: indexName)
    let descriptors = try images(in: bytes, named: indexName, members)
    var found: [Found] = []
    var places: [Digest: Int] = [:]
    var foreign: ImageArchiveError?
    for descriptor in descriptors {
      if try isLeftOut(descriptor, of: descriptors, members) { continue }
      let names = names(descriptor.annotations ?? [:])
      do throws(ImageArchiveError) {
        var image = try image(descriptor, in: indexName, members, depth: 0)
        image.names = (names + image.names).distinct
        // The same image once for each of its names.
        if let place = places[image.manifest.digest] {
          found[place].names = (found[place].names + image.names).distinct
        } else {
          places[image.manifest.digest] = found.count
          found.append(image)
        }
      } catch {
        // An index without an image for this machine: others may have one.
        guard case .noPlatform = error.reason, descriptors.count > 1 else { throw error }
        foreign = foreign ?? error
      }
    }
    let chosen = HostImages.chosen(
      among: found.map { .init(platform: $0.platform, names: Set($0.names)) })
    if chosen.isEmpty {
      let platforms = descriptors.map(\.platform) + found.map(\.platform)
      throw foreign ?? noPlatform(platforms, indexName, members)
    }
    var images: [ImageArchive] = []
    // Files that may be layers are opened once.
    let files = members.supply.openFiles()
    for index in chosen { images.append(try archive(found[index], members, files)) }
    return images
  }

  /// The descriptors of images in an index.
  private static func images(
    in bytes: [UInt8], named name: String, _ members: ArchiveMembers
  ) throws(ImageArchiveError) -> [Descriptor] {
    let index = try members.decode(Index.self, from: bytes, named: name)
    // Build attestations are listed beside the images, for the platform "unknown/unknown".
    let images = (index.manifests ?? []).filter { $0.platform?.os != "unknown" }
    guard !images.isEmpty else { throw members.error(name, .emptyManifest) }
    guard images.count <= imageLimit else {
      throw members.error(name, .tooManyValues(limit: imageLimit))
    }
    return images
  }

  /// The index lists an image for another machine that is not there: some tools save one machine's image.
  private static func isLeftOut(
    _ descriptor: Descriptor, of all: [Descriptor], _ members: ArchiveMembers
  ) throws(ImageArchiveError) -> Bool {
    guard all.count > 1, let platform = descriptor.platform, !platform.isSameMachine(as: .host),
      let digest = Digest(descriptor.digest)
    else { return false }
    return try members.find(digest) == nil
  }

  /// The image that a descriptor leads to; of an index, the one for this machine.
  private static func image(
    _ descriptor: Descriptor, in name: String, _ members: ArchiveMembers, depth: Int
  ) throws(ImageArchiveError) -> Found {
    let (bytes, digest) = try verified(descriptor, members)
    switch descriptor.mediaType {
    case MediaType.manifest, MediaType.dockerManifest:
      let manifest = ImageManifest(
        bytes: bytes, digest: digest, mediaType: descriptor.mediaType ?? MediaType.manifest)
      let content = try members.decode(Manifest.self, from: bytes, named: blobName(digest))
      let (config, configDigest) = try verified(content.config, members)
      let value = try members.config(config, named: blobName(configDigest))
      return Found(
        manifest: manifest, content: content, config: config, value: value, names: [],
        platform: descriptor.platform ?? value.platform)
    case MediaType.index, MediaType.dockerManifestList:
      guard depth < depthLimit else { throw members.error(name, .emptyManifest) }
      return try hostImage(
        in: try images(in: bytes, named: blobName(digest), members), named: blobName(digest),
        members, depth: depth + 1)
    default:
      throw members.error(name, .unsupportedMediaType(descriptor.mediaType ?? "none"))
    }
  }

  /// The image for this machine among those of one index, which are one image for several machines.
  ///
  /// Where the index does not say for which, the configurations do. Those for other machines need not
  /// be there.
  private static func hostImage(
    in descriptors: [Descriptor], named name: String, _ members: ArchiveMembers, depth: Int
  ) throws(ImageArchiveError) -> Found {
    let likely = descriptors.filter { $0.platform?.isSameMachine(as: .host) ?? true }
    var others: [Platform?] = descriptors.compactMap(\.platform)
    for descriptor in descriptors.count == 1 ? descriptors : likely {
      var image = try image(descriptor, in: name, members, depth: depth)
      image.names = names(descriptor.annotations ?? [:])
      let isOurs = image.platform?.isSameMachine(as: .host) ?? true
      if isOurs || descriptors.count == 1 { return image }
      others.append(image.platform)
    }
    throw noPlatform(others, name, members)
  }

  private static func noPlatform(
    _ found: [Platform?], _ name: String, _ members: ArchiveMembers
  ) -> ImageArchiveError {
    members.error(
      name,
      .noPlatform(
        wanted: Platform.host.description, found: found.compactMap { $0?.description }.distinct))
  }

  private static func archive(
    _ image: Found, _ members: ArchiveMembers, _ files: [Int64: [ArchiveFile]]
  ) throws(ImageArchiveError) -> ImageArchive {
    let name = blobName(image.manifest.digest)
    let diffIDs = try members.diffIDs(
      of: image.value, named: blobName(Digest(of: image.config)))
    let descriptors = image.content.layers ?? []
    guard descriptors.count == diffIDs.count else {
      throw members.error(name, .layerCount(manifest: descriptors.count, config: diffIDs.count))
    }
    var layers: [ImageLayer] = []
    for (descriptor, diffID) in zip(descriptors, diffIDs) {
      layers.append(try layer(descriptor, diffID, members, files))
    }
    var archive = ImageArchive(
      path: members.path, config: image.config, configDigest: Digest(of: image.config),
      layers: layers, tags: [], manifest: image.manifest)
    archive.take(names: image.names)
    return archive
  }

  private static func layer(
    _ descriptor: Descriptor, _ diffID: Digest, _ members: ArchiveMembers,
    _ files: [Int64: [ArchiveFile]]
  ) throws(ImageArchiveError) -> ImageLayer {
    let digest = try members.digest(descriptor)
    let name = blobName(digest)
    if let blob = try members.find(layer: digest) {
      try check(blob, descriptor, named: name, members)
      return try ImageLayer(diffID: diffID, digest: digest, blob: blob, member: name)
    }
    // Few files have the size of a layer, and one that has it is almost always it.
    for file in files[descriptor.size] ?? [] {
      let blob = Blob(file: file, offset: 0, size: file.size)
      if try blob.hash() == digest {
        return try ImageLayer(diffID: diffID, digest: digest, blob: blob, member: name)
      }
    }
    return ImageLayer(
      diffID: diffID, digest: digest, size: descriptor.size,
      mediaType: descriptor.mediaType ?? "", supply: members.supply)
  }

  /// The bytes of a JSON blob that are what their digest says.
  private static func verified(
    _ descriptor: Descriptor, _ members: ArchiveMembers
  ) throws(ImageArchiveError) -> (bytes: [UInt8], digest: Digest) {
    let digest = try members.digest(descriptor)
    let name = blobName(digest)
    guard let blob = try members.find(digest) else { throw members.error(name, .missing) }
    try check(blob, descriptor, named: name, members)
    let bytes = try members.read(blob, named: name)
    let actual = Digest(of: bytes)
    guard actual == digest else {
      throw members.error(name, .digestMismatch(expected: digest, actual: actual))
    }
    return (bytes, digest)
  }

  private static func check(
    _ blob: Blob, _ descriptor: Descriptor, named name: String, _ members: ArchiveMembers
  ) throws(ImageArchiveError) {
    guard blob.size == descriptor.size else {
      throw members.error(
        name, .sizeMismatch(expected: descriptor.size, actual: blob.size))
    }
  }

  /// The full names that a descriptor gives its image.
  ///
  /// A bare tag such as `latest`, which the format allows, says nothing about the image's name.
  private static func names(_ annotations: [String: String]) -> [String] {
    let names = [annotations[imageNameKey], annotations[referenceKey]].compactMap { $0 }
    return names.first { $0.contains("/") || $0.contains(":") }.map { [$0] } ?? []
  }
}

extension ArchiveMembers {
  fileprivate func digest(
    _ descriptor: OCILayout.Descriptor
  ) throws(ImageArchiveError) -> Digest {
    guard let digest = Digest(descriptor.digest) else {
      throw error(OCILayout.indexName, .invalidDigest(descriptor.digest))
    }
    return digest
  }
}
