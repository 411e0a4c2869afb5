import Images
import NIOCore
import NIOHTTP1

/// Requests that only Docker's containerd image store needs.
extension EngineClient {
  /// The share of an image that the store has.
  struct Wholeness: Hashable {
    /// Every layer lies unpacked: a container can start.
    var isUnpacked: Bool
    /// Every blob is there: it can be unpacked anew, saved and pushed.
    var isComplete: Bool
  }

  /// - Parameter name: As Docker shows it: without `docker.io/`.
  func wholeness(of name: String, _ id: Digest) async throws -> Wholeness {
    async let isUnpacked = isUnpacked(name)
    async let isComplete = isComplete(name, id)
    return try await Wholeness(isUnpacked: isUnpacked, isComplete: isComplete)
  }

  /// To tell an image's history the store looks up each unpacked layer, and fails where one is not
  /// there; what the history then says does not matter.
  /// Source: https://github.com/moby/moby/blob/v26.1.5/daemon/containerd/image_history.go
  private func isUnpacked(_ name: String) async throws -> Bool {
    struct Entry: Decodable {}
    do {
      return try await get(
        [Entry]?.self, "/images/\(name)/history", limit: .seconds(60), orMissing: true) != nil
    } catch let error as RuntimeError where error.kind == .refused {
      return false
    }
  }

  /// The list passes over an image that lacks a blob; since Docker 27 it has it, and says so.
  /// Source: https://github.com/moby/moby/blob/v26.1.5/daemon/containerd/image_list.go and
  /// https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image/operation/ImageList
  private func isComplete(_ name: String, _ id: Digest) async throws -> Bool {
    struct Image: Decodable {
      enum CodingKeys: String, CodingKey { case id = "Id", manifests = "Manifests" }
      struct Manifest: Decodable {
        enum CodingKeys: String, CodingKey { case isAvailable = "Available" }
        var isAvailable: Bool
      }
      var id: String
      var manifests: [Manifest]?
    }
    // The ID is a manifest's, so there is one.
    let image = try await list(Image.self, name).first { $0.id == id.description }
    return image.map { $0.manifests?.allSatisfy(\.isAvailable) ?? true } ?? false
  }

  /// All names in a repository of whole images.
  func names(in repository: String) async throws -> [String] {
    struct Image: Decodable {
      enum CodingKeys: String, CodingKey { case tags = "RepoTags" }
      var tags: [String]?
    }
    return try await list(Image.self, repository).flatMap { $0.tags ?? [] }
      .filter { $0.hasPrefix("\(repository):") }
  }

  /// - Parameter name: Of an image or a repository, as Docker shows it.
  private func list<Image: Decodable>(_ type: Image.Type, _ name: String) async throws -> [Image] {
    // {"reference":["NAME"]}, percent-encoded.
    let filter = "%7B%22reference%22%3A%5B%22\(name)%22%5D%7D"
    let path = "/images/json?manifests=1&filters=\(filter)"
    let images = try await get([Image]?.self, path, limit: .seconds(60), orMissing: false)
    return (images ?? nil) ?? []
  }

  /// Makes `reference` stand for the image that has `name`; the one that it stood for stays, under its
  /// ID.
  ///
  /// - Throws: `RuntimeError`; `CancellationError`.
  func tag(_ name: String, as reference: ImageReference) async throws {
    // Not a child, since the engine takes the old name away before it gives the new: a request that is cancelled in
    // between leaves none. It ends by itself, by its time limit.
    let naming = Task {
      try await answer(
        .POST, "/images/\(name)/tag?repo=\(reference.name)&tag=\(reference.tag)",
        limit: .seconds(30))
    }
    let (status, message) = try await naming.value
    guard status == 201 else {
      throw RuntimeError(
        runtime: runtime, kind: .refused,
        message: "\(runtime) does not give the image its name: \(message)")
    }
  }

  /// Takes names away that we gave, also when the task is cancelled; an image that has no other goes.
  func remove(names: [String]) async {
    // Not a child, since cancelling must not reach it. It ends by itself, by its time limit.
    let removal = Task {
      for name in names {
        // A name that never came to be, or an engine that is gone: there is nothing left to do.
        // By force, since a container may use an image of this very ID.
        _ = try? await answer(
          .DELETE, "/images/\(name)?noprune=true&force=true", limit: .seconds(30))
      }
    }
    await removal.value
  }
}

extension ImageReference {
  /// As Docker shows it: without `docker.io/` and `library/`.
  var familiar: String {
    let hub = "docker.io/"
    guard normalized.hasPrefix(hub) else { return normalized }
    let path = normalized.dropFirst(hub.count)
    return String(path.hasPrefix("library/") ? path.dropFirst("library/".count) : path)
  }
}
