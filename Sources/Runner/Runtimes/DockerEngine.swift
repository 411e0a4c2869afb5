import Synchronization

/// Docker, through its engine's API: graph-driver store and containerd store.
///
/// Tried in this order: nothing, if the engine holds the image under this name; the layers above
/// those that it should have; everything. What is there afterwards is compared with what should be.
/// A load that fails changes nothing in the engine, so trying is safe, and no image is removed.
package final class DockerEngine: ImageRuntime {
  package let name = "docker"
  package let client: EngineClient

  private struct State {
    var info: EngineClient.Info?
    /// The layers of what we loaded last under each name: the engine had them a moment ago.
    var loaded: [ImageReference: [Digest]] = [:]
  }
  private let state = Mutex(State())

  /// - Parameter client: Stays the caller's to shut down.
  package init(_ client: EngineClient) {
    self.client = client
  }

  package func isAvailable() async -> Bool {
    do {
      try await client.ping()
      return true
    } catch {
      return false
    }
  }

  package func load(
    _ archive: ImageArchive, as reference: ImageReference
  ) async throws -> LoadResult {
    do {
      return try await info().usesContainerdStore
        ? try await loadLayout(archive, as: reference)
        : try await loadLayers(archive, as: reference)
    } catch let error as RuntimeError where error.kind == .unreachable {
      // What comes back may be another engine.
      state.withLock { $0 = State() }
      throw error
    }
  }

  private func loadLayers(
    _ archive: ImageArchive, as reference: ImageReference
  ) async throws -> LoadResult {
    let present = try await client.image(reference.description)
    if let present, present.id == archive.configDigest {
      remember(present.layers, as: reference)
      return LoadResult(
        isChanged: false, id: present.id, bytesSent: 0, layersSent: 0,
        layersTotal: archive.layers.count)
    }
    var bytesSent: Int64 = 0
    let known = knownLayers(of: archive, below: present)
    if known > 0 {
      let partial = PartialArchive(archive, as: reference, knownLayers: known)
      bytesSent = partial.stream.length
      do {
        return try await send(partial, of: archive, as: reference, bytesSent: bytesSent)
      } catch is RuntimeError {
        // Layers may have been pruned since we saw them. Everything is sent, and its error counts.
        state.withLock { $0.loaded.removeAll() }
      }
    }
    let whole = PartialArchive(archive, as: reference, knownLayers: 0)
    bytesSent += whole.stream.length
    return try await send(whole, of: archive, as: reference, bytesSent: bytesSent)
  }

  private func send(
    _ partial: PartialArchive, of archive: ImageArchive, as reference: ImageReference,
    bytesSent: Int64
  ) async throws -> LoadResult {
    try await naming(reference) { try await client.load(partial.stream) }
    let present = try await client.image(reference.description)
    guard let present, present.id == archive.configDigest else {
      throw mismatch(reference, expected: archive.configDigest, found: present?.id)
    }
    remember(present.layers, as: reference)
    return LoadResult(
      isChanged: true, id: present.id, bytesSent: bytesSent, layersSent: partial.layersSent,
      layersTotal: archive.layers.count)
  }

  /// How many layers, from the bottom, the engine should have: those of the image that the name
  /// stands for, or of one that we loaded, whichever shares more.
  private func knownLayers(of archive: ImageArchive, below present: EngineClient.Image?) -> Int {
    let wanted = archive.layers.map(\.diffID)
    let candidates =
      state.withLock { Array($0.loaded.values) } + (present.map { [$0.layers] } ?? [])
    return candidates.map { zip(wanted, $0).prefix { $0 == $1 }.count }.max() ?? 0
  }

  private func remember(_ layers: [Digest], as reference: ImageReference) {
    state.withLock { $0.loaded[reference] = layers }
  }

  /// Asked once: the store is a setting of the engine that takes a restart to change.
  private func info() async throws -> EngineClient.Info {
    if let info = state.withLock({ $0.info }) { return info }
    let info = try await client.info()
    state.withLock { $0.info = info }
    return info
  }
}

extension DockerEngine {
  /// The containerd store reports an image as loaded whose layers it could not unpack, and has then
  /// moved the name to it: so it is sent everything, and never part of an image.
  private func loadLayout(
    _ archive: ImageArchive, as reference: ImageReference
  ) async throws -> LoadResult {
    let layout = try await LayoutArchive(archive, as: reference)
    let before = try await client.image(reference.description)
    if before?.id == layout.manifest.digest {
      return LoadResult(
        isChanged: false, id: layout.manifest.digest, bytesSent: 0, layersSent: 0,
        layersTotal: archive.layers.count)
    }
    try await naming(reference) { try await client.load(layout.stream) }
    let after = try await client.image(reference.description)
    // Where the ID is another index's, a new ID over the right layers is what can be known.
    guard let after,
      after.id == layout.manifest.digest
        || (after.id != before?.id && after.layers == archive.layers.map(\.diffID))
    else {
      throw mismatch(reference, expected: layout.manifest.digest, found: after?.id)
    }
    return LoadResult(
      isChanged: true, id: after.id, bytesSent: layout.stream.length,
      layersSent: layout.layersSent, layersTotal: archive.layers.count)
  }

  /// Adds the image's name to what the engine says about it.
  private func naming(_ reference: ImageReference, _ load: () async throws -> Void) async throws {
    do {
      try await load()
    } catch var error as RuntimeError where error.kind == .refused {
      error.message = "\(reference): \(error.message)"
      throw error
    }
  }

  private func mismatch(
    _ reference: ImageReference, expected: Digest, found: Digest?
  ) -> RuntimeError {
    RuntimeError(
      runtime: name, kind: .mismatch,
      message: "\(reference): docker accepted \(expected) but holds "
        + (found.map(\.description) ?? "no such image"),
      hint: "does something else load, tag or remove \(reference) at \(client.endpoint)?")
  }
}
