import Basics

/// The part of an image's configuration that matters for loading it.
///
/// Source: https://github.com/opencontainers/image-spec/blob/main/config.md
struct ImageConfig: Decodable {
  struct RootFS: Decodable {
    enum CodingKeys: String, CodingKey { case diffIDs = "diff_ids" }
    var diffIDs: [String]?
  }

  var architecture: String?
  var os: String?
  var rootfs: RootFS

  var platform: Platform? {
    guard let os, let architecture else { return nil }
    return Platform(os: os, architecture: architecture)
  }
}

/// An operating system and architecture by their Go names, as images carry them.
package struct Platform: Hashable, Codable, CustomStringConvertible {
  var os: String
  var architecture: String

  package var description: String { "\(os)/\(architecture)" }

  #if arch(arm64)
    static let host = Platform(os: "linux", architecture: "arm64")
  #else
    package static let host = Platform(os: "linux", architecture: "amd64")
  #endif
}

extension ImageArchive {
  /// The kind of machine that the image is for, where it says so.
  package var platform: Platform? {
    // It was decoded when the archive was opened, and so can be again.
    (try? JSON.decode(ImageConfig.self, from: config))?.platform
  }
}

extension ArchiveMembers {
  func config(_ bytes: [UInt8], named name: String) throws(ImageArchiveError) -> ImageConfig {
    try decode(ImageConfig.self, from: bytes, named: name)
  }

  func diffIDs(of config: ImageConfig, named name: String) throws(ImageArchiveError) -> [Digest] {
    var diffIDs: [Digest] = []
    for text in config.rootfs.diffIDs ?? [] {
      guard let digest = Digest(text) else { throw error(name, .invalidDigest(text)) }
      diffIDs.append(digest)
    }
    return diffIDs
  }

  func decode<Value: Decodable>(
    _ type: Value.Type, from bytes: [UInt8], named name: String
  ) throws(ImageArchiveError) -> Value {
    do throws(JSON.Malformed) {
      return try JSON.decode(type, from: bytes)
    } catch {
      throw self.error(name, .invalidJSON(error.description))
    }
  }
}
