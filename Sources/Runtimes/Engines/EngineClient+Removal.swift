import Images
import NIOCore
import NIOHTTP1

extension EngineClient {
  /// Removes an image that has no name and that no container uses, running or not.
  func remove(_ id: Digest, isDryRun: Bool) async throws -> Removal {
    struct Image: Decodable {
      enum CodingKeys: String, CodingKey { case tags = "RepoTags" }
      var tags: [String]?
    }
    guard
      let image = try await get(
        Image.self, "/images/\(id)/json", limit: .seconds(60), orMissing: true)
    else { return .absent }
    let tags = (image.tags ?? []).filter { !$0.hasPrefix("<none>") }
    if let tag = tags.first { return .kept("it is also called \(tag)") }

    if let container = try await containers("ancestor", "\(id)").first {
      return .kept("\(container.name) uses it")
    }
    if isDryRun { return .removed }
    // Without noprune it would take untagged parents along, which are not ours to remove.
    let (status, message) = try await answer(.DELETE, "/images/\(id)?noprune=true")
    switch status {
    case 200..<300: return .removed
    case 404: return .absent
    case 409: return .kept(message)
    default:
      throw RuntimeError(
        runtime: runtime, kind: .refused, message: "\(runtime) does not remove \(id): \(message)")
    }
  }
}
