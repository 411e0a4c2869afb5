import AsyncHTTPClient
import Basics
import Images
import NIOCore
import NIOHTTP1

extension EngineClient {
  /// Finds the names that stand for nothing, or for another image.
  ///
  /// A list shows at once which may, and only those are asked for by their names: lists differ in
  /// what they pass over.
  func losses(
    among held: [ImageReference: Digest]
  ) async throws -> [ImageReference: ImageLoss] {
    let listed = try await listedIDs(of: Array(held.keys))
    var losses: [ImageReference: ImageLoss] = [:]
    for (reference, id) in held where listed[reference.familiar] != id.description {
      let found = try await image(reference.description)
      if found?.id != id { losses[reference] = found == nil ? .removed : .replaced }
    }
    return losses
  }

  /// By familiar name: podman shows its own as they are.
  private func listedIDs(of references: [ImageReference]) async throws -> [String: String] {
    struct Image: Decodable {
      enum CodingKeys: String, CodingKey { case id = "Id", tags = "RepoTags" }
      var id: String
      var tags: [String]?
    }
    var path = "/images/json"
    // Podman takes several references for one condition upon another.
    if runtime == "docker", references.count <= 100 {
      let names = references.map { "\"\($0.familiar)\"" }.sorted().joined(separator: ",")
      path += "?filters=" + #"{"reference":[\#(names)]}"#.percentEncoded
    }
    let images = try await get([Image]?.self, path, limit: .seconds(60), orMissing: false)
    var ids: [String: String] = [:]
    for image in (images ?? nil) ?? [] {
      for tag in image.tags ?? [] {
        ids[ImageReference(tag)?.familiar ?? tag] = image.id
      }
    }
    return ids
  }

  /// Follows what happens to images, until the engine ends.
  ///
  /// - Parameter happened: Called when the engine has taken the question, and for each of its words.
  /// - Throws: `RuntimeError`; `CancellationError`.
  func followEvents(_ happened: @escaping @Sendable () -> Void) async throws {
    let path = "/events?filters=" + #"{"type":["image"]}"#.percentEncoded
    try await execute(request(path, .GET), deadline: .distantFuture) { response in
      guard response.status == .ok else {
        let words = EngineAnswer.message(of: try await Self.collect(response.body))
        throw RuntimeError(
          runtime: runtime, kind: .refused, message: "\(runtime) tells of no events: \(words)")
      }
      happened()
      for try await _ in response.body { happened() }
    }
  }
}
