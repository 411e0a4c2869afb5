import Basics
package import SystemPackage

/// Where layers can be had that rules_img did not bring here, as its output group `deploy_manifest` says.
///
/// Source: https://github.com/bazel-contrib/rules_img/blob/main/img_tool/pkg/api/deploy.go
package struct LayerSources: Sendable {
  package let sources: [Digest: [LayerSupply.Source]]

  private struct Content: Decodable {
    var operations: [Operation]?
  }

  fileprivate struct Operation: Decodable {
    enum CodingKeys: String, CodingKey {
      case manifests
      case originalRegistries = "original_registries"
      case originalRepository = "original_repository"
    }

    var manifests: [Image]?
    var originalRegistries: [String]?
    var originalRepository: String?
  }

  fileprivate struct Image: Decodable {
    enum CodingKeys: String, CodingKey {
      case layers = "layer_blobs"
      case missing = "missing_blobs"
    }

    var layers: [Layer]?
    /// In versions before a layer told its own sources: digests, with or without `sha256:`.
    var missing: [String]?
  }

  fileprivate struct Layer: Decodable {
    struct Source: Decodable {
      var registry: String
      var repository: String
    }

    var digest: String
    var sources: [Source]?
  }

  /// Far more than any has. In bytes.
  private static let sizeLimit: Int64 = 8 << 20

  /// Reads an output of the build.
  ///
  /// - Throws: `ImageArchiveError` when it can't be read, or is something else.
  package init(reading path: FilePath) throws(ImageArchiveError) {
    let bytes: [UInt8]
    do throws(Errno) {
      guard case .file(let file) = try ArchiveFile.open(path) else { throw .isDirectory }
      guard file.size <= Self.sizeLimit else { throw .fileTooLarge }
      bytes = try file.bytes(at: 0, count: Int(file.size))
    } catch {
      throw ImageArchiveError(path: path, reason: .unreadable(error))
    }
    do throws(JSON.Malformed) {
      try self.init(bytes)
    } catch {
      throw ImageArchiveError(path: path, reason: .invalidJSON(error.description))
    }
  }

  init(_ bytes: [UInt8]) throws(JSON.Malformed) {
    let operations = try JSON.decode(Content.self, from: bytes).operations ?? []
    var sources: [Digest: [LayerSupply.Source]] = [:]
    for operation in operations {
      for image in operation.manifests ?? [] {
        for layer in image.layers ?? [] {
          guard let digest = Digest(layer.digest) else { continue }
          let own = (layer.sources ?? []).map {
            LayerSupply.Source(registry: $0.registry, repository: $0.repository)
          }
          if !own.isEmpty { sources[digest, default: []] += own }
        }
        for text in image.missing ?? [] {
          guard let digest = Digest(text) ?? Digest("sha256:\(text)") else { continue }
          sources[digest, default: []] += operation.originals
        }
      }
    }
    self.sources = sources.compactMapValues { $0.isEmpty ? nil : $0.distinct }
  }
}

extension LayerSources.Operation {
  fileprivate var originals: [LayerSupply.Source] {
    guard let originalRepository else { return [] }
    return (originalRegistries ?? []).map {
      LayerSupply.Source(registry: $0, repository: originalRepository)
    }
  }
}
