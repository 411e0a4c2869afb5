import Basics
import Images
import SystemPackage

/// The `index.json` of an image layout: which name stands for which manifest.
///
/// Entries and fields that are not ours stay as they are.
struct StoreIndex {
  private var json: JSON

  /// An index without images.
  init() {
    json = .object([
      "schemaVersion": .integer(2), "mediaType": .string(OCILayout.MediaType.index),
      "manifests": .array([]),
    ])
  }

  /// - Throws: `JSON.Malformed` when the bytes are no index.
  init(_ bytes: [UInt8]) throws(JSON.Malformed) {
    json = try JSON.decode(JSON.self, from: bytes)
    guard case .object = json, json["manifests"]?.array != nil else {
      throw JSON.Malformed(description: "'manifests' is missing")
    }
  }

  var bytes: [UInt8] { JSON.encode(json) }

  /// The digest and size of the manifest that a name stands for.
  func manifest(named reference: ImageReference) -> (digest: Digest, size: Int64)? {
    let entry = manifests.first { Self.name($0) == reference.description }
    guard let entry, let digest = entry["digest"]?.string.flatMap({ Digest($0) }),
      let size = entry["size"]?.integer
    else { return nil }
    return (digest, size)
  }

  /// Digests of everything that the index names.
  var digests: Set<Digest> {
    var digests: Set<Digest> = []
    for entry in manifests {
      if let text = entry["digest"]?.string, let digest = Digest(text) { digests.insert(digest) }
    }
    return digests
  }

  /// Makes a name stand for this manifest, and for no other.
  mutating func set(_ reference: ImageReference, to manifest: ImageManifest) {
    guard case .object(var fields) = json else { return }
    let entry = JSON.object([
      "mediaType": .string(manifest.mediaType),
      "digest": .string(manifest.digest.description),
      "size": .integer(Int64(manifest.bytes.count)),
      "annotations": .object([
        OCILayout.referenceKey: .string(reference.description),
        OCILayout.imageNameKey: .string(reference.normalized),
      ]),
    ])
    let others = manifests.filter { Self.name($0) != reference.description }
    fields["manifests"] = .array(others + [entry])
    json = .object(fields)
  }

  private var manifests: [JSON] { json["manifests"]?.array ?? [] }

  private static func name(_ entry: JSON) -> String? {
    entry["annotations"]?[OCILayout.referenceKey]?.string
  }
}
