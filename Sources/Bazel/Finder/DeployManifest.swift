import FoundationEssentials

/// The file in which rules_img writes under which names an image is loaded.
package struct DeployManifest: Hashable {
  private struct File: Decodable {
    struct Operation: Decodable {
      var registry: String?
      var repository: String?
      var tags: [String]?
    }

    var operations: [Operation]
  }

  /// All names; none where nobody has given one.
  package let names: [String]

  /// - Returns: `nil` when the bytes are no such file.
  package init?(_ bytes: [UInt8]) {
    // What can't be read is told with the file's name by the caller.
    guard let file = try? JSONDecoder().decode(File.self, from: Data(bytes)),
      let first = file.operations.first
    else { return nil }
    names = Self.names(
      registry: first.registry, repository: first.repository, tags: first.tags ?? [])
  }

  /// Where registry and repository are given the tags are bare, else they are whole names.
  static func names(registry: String?, repository: String?, tags: [String]) -> [String] {
    guard let registry, let repository, !registry.isEmpty, !repository.isEmpty else { return tags }
    return tags.map { "\(registry)/\(repository):\($0)" }
  }
}
