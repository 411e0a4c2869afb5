package import Runner
import SystemPackage

/// A small image to be written down in each of the formats that tools make.
package struct TestImage {
  /// Tars, from the bottom up.
  package var layers: [[UInt8]]
  package var tags: [String]
  /// Set in the configuration, so that images of equal layers differ.
  package var environment: [String]
  package var architecture: String

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

  package static func layer(_ file: String, _ content: [UInt8]) -> [UInt8] {
    var tar = TarBuilder()
    tar.add(file, content)
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
    return Array(
      """
      {"architecture":"\(architecture)","os":"linux","config":{"Env":[\(environment)],\
      "Cmd":["/app"]},"rootfs":{"type":"layers","diff_ids":[\(diffs)]}}
      """.utf8)
  }

  /// What Docker is to show as the image's ID.
  package var id: Digest { Digest(of: config) }

  /// As `docker save`, rules_oci and rules_docker write it.
  ///
  /// Layers may be given, by index, content other than what their diff ID says.
  package func dockerArchive(replacing: [Int: [UInt8]] = [:]) -> [UInt8] {
    var tar = TarBuilder()
    let names = layers.indices.map { "layer\($0).tar" }
    tar.add("config.json", config)
    for (index, layer) in layers.enumerated() {
      tar.add(names[index], replacing[index] ?? layer)
    }
    tar.add("manifest.json", Array(dockerManifest(layers: names).utf8))
    return tar.finished()
  }

  package func dockerManifest(layers names: [String]) -> String {
    let tags = tags.map { "\"\($0)\"" }.joined(separator: ",")
    let layers = names.map { "\"\($0)\"" }.joined(separator: ",")
    return "[{\"Config\":\"config.json\",\"RepoTags\":[\(tags)],\"Layers\":[\(layers)]}]"
  }

  /// The blobs of an OCI layout, manifest first.
  package var blobs: [[UInt8]] { [ociManifest, config] + layers }

  package var ociManifest: [UInt8] {
    let layers = layers.map { layer in
      """
      {"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"\(Digest(of: layer))",\
      "size":\(layer.count)}
      """
    }
    return Array(
      """
      {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\
      "config":{"mediaType":"application/vnd.oci.image.config.v1+json",\
      "digest":"\(id)","size":\(config.count)},"layers":[\(layers.joined(separator: ","))]}
      """.utf8)
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
      {"mediaType":"application/vnd.oci.image.manifest.v1+json",\(platform)\(name ?? "")\
      "digest":"\(Digest(of: manifest))","size":\(manifest.count)}
      """
  }

  package static func ociIndex(_ descriptors: [String]) -> [UInt8] {
    Array("{\"schemaVersion\":2,\"manifests\":[\(descriptors.joined(separator: ","))]}".utf8)
  }

  /// An OCI layout of these images as a tar.
  package static func ociArchive(_ images: [TestImage], hasPlatforms: Bool = false) -> [UInt8] {
    var tar = TarBuilder()
    tar.add("oci-layout", Array("{\"imageLayoutVersion\":\"1.0.0\"}".utf8))
    tar.add("index.json", ociIndex(images.map { $0.ociDescriptor(hasPlatform: hasPlatforms) }))
    var written: Set<Digest> = []
    for blob in images.flatMap(\.blobs) where written.insert(Digest(of: blob)).inserted {
      tar.add("blobs/sha256/\(Digest(of: blob).hexadecimal)", blob)
    }
    return tar.finished()
  }
}
