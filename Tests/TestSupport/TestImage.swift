package import Images
import SystemPackage

/// A small image to be written down in each of the formats that tools make.
package struct TestImage {
  /// Tars, from the bottom up.
  package var layers: [[UInt8]]
  package var tags: [String]
  /// Set in the configuration, so that images of equal layers differ.
  package var environment: [String]
  package var architecture: String
  package var command = ["/app"]
  /// What an archive holds in place of a layer, by its index: the same, compressed.
  package var stored: [Int: [UInt8]] = [:]
  /// Its manifest has docker's own media types, as that of a base image from docker's registry.
  package var hasDockerTypes = false

  package init(
    layers: [[UInt8]], tags: [String] = ["lab/app:dev"], environment: [String] = [],
    architecture: String = "amd64"
  ) {
    self.layers = layers
    self.tags = tags
    self.environment = environment
    self.architecture = architecture
  }

  /// A layer with one file in it.
  package static func layer(_ file: String, _ content: String) -> [UInt8] {
    layer(file, Array(content.utf8))
  }

  package static func layer(
    _ file: String, _ content: [UInt8], isExecutable: Bool = false
  ) -> [UInt8] {
    var tar = TarBuilder()
    tar.add(file, content, mode: isExecutable ? 0o755 : 0o644)
    return tar.finished()
  }

  /// Bytes to fill a file with, others for another seed.
  package static func filling(_ count: Int, seed: String) -> [UInt8] {
    var bytes = Array("\(seed)-".utf8)
    while bytes.count < count { bytes += bytes }
    return Array(bytes[..<count])
  }

  package var diffIDs: [Digest] { layers.map { Digest(of: $0) } }

  package var config: [UInt8] {
    let diffs = diffIDs.map { "\"\($0)\"" }.joined(separator: ",")
    let environment = environment.map { "\"\($0)\"" }.joined(separator: ",")
    let command = command.map { "\"\($0)\"" }.joined(separator: ",")
    return Array(
      """
      {"architecture":"\(architecture)","os":"linux","config":{"Env":[\(environment)],\
      "Cmd":[\(command)]},"rootfs":{"type":"layers","diff_ids":[\(diffs)]}}
      """.utf8)
  }

  /// What Docker is to show as the image's ID.
  package var id: Digest { Digest(of: config) }

  /// As `docker save`, rules_oci and rules_docker write it.
  ///
  /// Layers may be given, by index, content other than what their diff ID says.
  package func dockerArchive(replacing: [Int: [UInt8]] = [:]) -> [UInt8] {
    Self.dockerArchive([self], replacing: replacing)
  }

  /// Several images in one tar, as `docker save` writes them.
  package static func dockerArchive(
    _ images: [TestImage], replacing: [Int: [UInt8]] = [:]
  ) -> [UInt8] {
    var tar = TarBuilder()
    var entries: [String] = []
    for (number, image) in images.enumerated() {
      let prefix = number == 0 ? "" : "\(number)-"
      let names = image.layers.indices.map { "\(prefix)layer\($0).tar" }
      tar.add("\(prefix)config.json", image.config)
      for (index, layer) in image.storedLayers.enumerated() {
        tar.add(names[index], replacing[index] ?? layer)
      }
      entries.append(image.dockerEntry(config: "\(prefix)config.json", layers: names))
    }
    tar.add("manifest.json", Array("[\(entries.joined(separator: ","))]".utf8))
    return tar.finished()
  }

  package func dockerManifest(layers names: [String]) -> String {
    "[\(dockerEntry(config: "config.json", layers: names))]"
  }

  private func dockerEntry(config: String, layers names: [String]) -> String {
    let tags = tags.map { "\"\($0)\"" }.joined(separator: ",")
    let layers = names.map { "\"\($0)\"" }.joined(separator: ",")
    return "{\"Config\":\"\(config)\",\"RepoTags\":[\(tags)],\"Layers\":[\(layers)]}"
  }

  /// From the bottom up, as an archive holds them.
  private var storedLayers: [[UInt8]] {
    layers.enumerated().map { index, layer in stored[index] ?? layer }
  }

  /// The blobs of an OCI layout, manifest first.
  package var blobs: [[UInt8]] { [ociManifest, config] + storedLayers }

  package var ociManifest: [UInt8] {
    let layers = storedLayers.map { layer in
      """
      {"mediaType":"\(mediaType(of: layer))","digest":"\(Digest(of: layer))",\
      "size":\(layer.count)}
      """
    }
    let config = config
    return Array(
      """
      {"schemaVersion":2,"mediaType":"\(manifestType)",\
      "config":{"mediaType":"\(configType)",\
      "digest":"\(Digest(of: config))","size":\(config.count)},\
      "layers":[\(layers.joined(separator: ","))]}
      """.utf8)
  }

  private var manifestType: String {
    hasDockerTypes
      ? "application/vnd.docker.distribution.manifest.v2+json"
      : "application/vnd.oci.image.manifest.v1+json"
  }

  private var configType: String {
    hasDockerTypes
      ? "application/vnd.docker.container.image.v1+json"
      : "application/vnd.oci.image.config.v1+json"
  }

  private func mediaType(of layer: [UInt8]) -> String {
    let (tar, separator) =
      hasDockerTypes
      ? ("application/vnd.docker.image.rootfs.diff.tar", ".")
      : ("application/vnd.oci.image.layer.v1.tar", "+")
    if layer.starts(with: [0x1F, 0x8B]) { return "\(tar)\(separator)gzip" }
    if layer.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return "\(tar)\(separator)zstd" }
    return tar
  }

  /// One entry of an `index.json`.
  package func ociDescriptor(hasPlatform: Bool = false) -> String {
    let manifest = ociManifest
    let platform =
      hasPlatform ? "\"platform\":{\"os\":\"linux\",\"architecture\":\"\(architecture)\"}," : ""
    let name = tags.first.map {
      "\"annotations\":{\"org.opencontainers.image.ref.name\":\"\($0)\"},"
    }
    return """
      {"mediaType":"\(manifestType)",\(platform)\(name ?? "")\
      "digest":"\(Digest(of: manifest))","size":\(manifest.count)}
      """
  }

  package static func ociIndex(_ descriptors: [String]) -> [UInt8] {
    Array("{\"schemaVersion\":2,\"manifests\":[\(descriptors.joined(separator: ","))]}".utf8)
  }

  /// An OCI layout of these images as a tar.
  package static func ociArchive(_ images: [TestImage], hasPlatforms: Bool = false) -> [UInt8] {
    var tar = TarBuilder()
    for (name, content) in layoutFiles(images, hasPlatforms: hasPlatforms) {
      tar.add(name, content)
    }
    return tar.finished()
  }

  /// An OCI layout with a `manifest.json` beside it that names its blobs, as newer tools write it.
  package func hybridArchive() -> [UInt8] {
    var tar = TarBuilder()
    for (name, content) in Self.layoutFiles([self]) { tar.add(name, content) }
    let entry = dockerEntry(
      config: Self.blobName(config), layers: storedLayers.map { Self.blobName($0) })
    tar.add("manifest.json", Array("[\(entry)]".utf8))
    return tar.finished()
  }

  /// The files of an OCI layout of these images.
  package static func layoutFiles(
    _ images: [TestImage], hasPlatforms: Bool = false
  ) -> [(name: String, content: [UInt8])] {
    let index = ociIndex(images.map { $0.ociDescriptor(hasPlatform: hasPlatforms) })
    var files = [
      (name: "oci-layout", content: Array("{\"imageLayoutVersion\":\"1.0.0\"}".utf8)),
      (name: "index.json", content: index),
    ]
    var written: Set<String> = []
    for blob in images.flatMap(\.blobs) where written.insert(blobName(blob)).inserted {
      files.append((name: blobName(blob), content: blob))
    }
    return files
  }

  private static func blobName(_ content: [UInt8]) -> String {
    "blobs/sha256/\(Digest(of: content).hexadecimal)"
  }
}

extension TestImage {
  package enum Compression: String, Sendable { case gzip, zstd }

  /// Has every layer stored compressed from now on, by the program of that name.
  package mutating func compress(by compression: Compression) async throws {
    for (index, layer) in layers.enumerated() {
      stored[index] = try await withScratchDirectory { directory in
        let file = directory.appending("layer.tar")
        try file.write(layer)
        let packed = directory.appending("layer.packed")
        // Without a time stamp: the same layer is the same blob.
        let option = compression == .gzip ? "-nc" : "-qc"
        try Tool.run(
          "sh",
          [
            "-c", #"exec "$1" "$2" <"$3" >"$4""#, "sh", compression.rawValue, option, file.string,
            packed.string,
          ])
        return try packed.read()
      }
    }
  }
}
