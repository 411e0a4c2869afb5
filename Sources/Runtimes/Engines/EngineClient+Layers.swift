import Basics
import Images
import NIOCore

extension EngineClient {
  /// More images than a new run looks at; the newest come first.
  private static let imageLimit = 200

  /// The layers of the images that the engine has, whatever they are called.
  ///
  /// One question for the list, and one for each image; some side by side.
  ///
  /// - Throws: `RuntimeError`; `CancellationError`.
  func layersOfAllImages() async throws -> [[Digest]] {
    struct Entry: Decodable {
      enum CodingKeys: String, CodingKey { case id = "Id" }
      var id: String
    }
    let list = try await get([Entry]?.self, "/images/json", limit: .seconds(60), orMissing: false)
    let ids = ((list ?? nil) ?? []).compactMap { Digest($0.id) }.distinct.prefix(Self.imageLimit)
    return try await withThrowingTaskGroup(of: [Digest]?.self) { group in
      var all: Set<[Digest]> = []
      for (index, id) in ids.enumerated() {
        if index >= 8, let layers = try await group.next() ?? nil { all.insert(layers) }
        group.addTask { try await self.image(id.description)?.layers }
      }
      for try await layers in group { if let layers { all.insert(layers) } }
      return Array(all)
    }
  }
}
