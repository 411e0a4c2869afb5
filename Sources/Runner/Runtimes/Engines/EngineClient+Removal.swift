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

    struct Container: Decodable {
      enum CodingKeys: String, CodingKey { case names = "Names" }
      var names: [String]?
    }
    // {"ancestor":["ID"]}, percent-encoded.
    let filter = "%7B%22ancestor%22%3A%5B%22\(id)%22%5D%7D"
    let containers =
      try await get(
        [Container].self, "/containers/json?all=true&filters=\(filter)", limit: .seconds(60),
        orMissing: false) ?? []
    if let container = containers.first {
      let name = container.names?.first.map { String($0.trimmingPrefix("/")) } ?? "a container"
      return .kept("\(name) uses it")
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
