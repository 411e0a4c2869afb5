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
    static let unpackedByContainerd: Set<String> = [
      layer, "\(layer)+gzip", "\(layer)+zstd", "application/vnd.docker.image.rootfs.diff.tar",
      "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ]
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
