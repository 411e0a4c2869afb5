import Basics
package import Images
import Synchronization

/// Docker, through its engine's API: graph-driver store and containerd store; and podman, which
/// serves the same API.
///
/// Tried in this order: nothing, if the engine holds the image under this name; the layers above
/// those that it should have; everything. What is there afterwards is compared with what should be.
/// A load that fails changes nothing in the engine, so trying is safe, and no image is removed.
/// Where images live in containerd that is not so, and `EngineContainerdStore` takes care.
package final class DockerEngine: ImageRuntime {
  package var name: String { client.runtime }
  package let client: EngineClient
  /// Starts podman's service where none runs.
  private let service: PodmanService?

  private struct State {
    var info: EngineClient.Info?
    /// The layers of what we loaded last under each name: the engine had them a moment ago.
    var loaded: [ImageReference: [Digest]] = [:]
    /// The layers of all images that the engine had when it was looked at; `nil`: not yet.
    var others: [[Digest]]?
  }
  private let state = Mutex(State())
  private let underway = LayersUnderway()
  private let combiner = LoadCombiner<Part, Void>()
  private let containerdStore: EngineContainerdStore

  /// - Parameters:
  ///   - client: Stays the caller's to shut down; its `runtime` says which engine it is.
  ///   - service: Asked to be there before each load; the caller's to stop.
  package init(_ client: EngineClient, service: PodmanService? = nil) {
    self.client = client
    self.service = service
    containerdStore = EngineContainerdStore(client)
  }

  private var isPodman: Bool { client.runtime == "podman" }

  /// Docker reads several images from one stream for much less than one stream each.
  package var combinesLoads: Bool { !isPodman }

  /// A load that may go with others.
  private struct Part: Sendable {
    var piece: PartialArchive.Piece
    var progress: LoadProgress?
  }

  package func isAvailable() async -> Bool {
    do {
      try await service?.start(for: client)
      try await client.ping()
      return true
    } catch {
      return false
    }
  }

  package func prepare() async {
    // What is wrong is told by the load.
    try? await service?.start(for: client)
    if !isPodman { _ = try? await info() }
  }

  package func load(
    _ archive: ImageArchive, as references: [ImageReference]
  ) async throws -> LoadResult {
    do {
      try await service?.start(for: client)
      let references = (isPodman ? references.map(\.local) : references).distinct
      if state.withLock({ $0.info?.usesContainerdStore }) == true {
        return try await containerdStore.load(archive, as: references)
      }
      // Beside the question about the store, which is asked once: each takes ten milliseconds.
      async let present = client.images(named: references)
      if !isPodman, try await info().usesContainerdStore {
        return try await containerdStore.load(archive, as: references)
      }
      return try await loadLayers(archive, as: references, present: present)
    } catch var error as RuntimeError
      where error.message.contains("processing tar file")
      && archive.layers.contains(where: { $0.compression == .zstd })
    {
      error.hint =
        "layers are compressed with zstd, which Docker unpacks since version 23: update it, or "
        + "build the image with gzip or no compression"
      throw error
    } catch let error as RuntimeError where error.kind == .unreachable {
      // What comes back may be another engine.
      state.withLock { $0 = State() }
      containerdStore.forget()
      throw error
    }
  }

  package func remove(
    _ image: SupersededImage, keeping kept: Set<Digest>, isDryRun: Bool
  ) async throws -> Removal {
    try await service?.start(for: client)
    return try await client.remove(image.id, isDryRun: isDryRun)
  }

  package var lossNotice: LossNotice { .events }

  package func losses(
    among held: [ImageReference: Digest]
  ) async throws -> [ImageReference: ImageLoss] {
    // As the engine has them, with the names that it was given for.
    var names: [ImageReference: ImageReference] = [:]
    for reference in held.keys { names[isPodman ? reference.local : reference] = reference }
    var there: [ImageReference: Digest] = [:]
    for (name, reference) in names { there[name] = held[reference] }
    var losses: [ImageReference: ImageLoss] = [:]
    for (name, loss) in try await client.losses(among: there) {
      if let reference = names[name] { losses[reference] = loss }
    }
    return losses
  }

  package func followEvents(_ happened: @escaping @Sendable () -> Void) async throws {
    try await service?.start(for: client)
    try await client.followEvents(happened)
  }

  /// - Parameter present: What the engine has under these names.
  private func loadLayers(
    _ archive: ImageArchive, as references: [ImageReference],
    present: [ImageReference: EngineClient.Image]
  ) async throws -> LoadResult {
    if references.allSatisfy({ present[$0]?.id == archive.configDigest }) {
      remember(archive, as: references)
      return LoadResult(
        isChanged: false, id: archive.configDigest, bytesSent: 0, layersSent: 0,
        layersTotal: archive.layers.count)
    }
    var known = knownLayers(of: archive, below: present)
    if archive.layers[known...].reduce(0, { $0 + $1.size }) > Self.worthLooking {
      await lookAtAll()
      known = knownLayers(of: archive, below: present)
    }
    // Layers that another load is just bringing are waited for, and then need not be sent.
    var entered = Set(archive.layers[known...].map(\.diffID))
    while !(await underway.enter(entered)) {
      try Task.checkCancellation()
      known = knownLayers(of: archive, below: present)
      entered = Set(archive.layers[known...].map(\.diffID))
    }
    do {
      var result = try await sendLacking(archive, as: references, knownLayers: known)
      result.replaced = present.mapValues(\.id).filter { $0.value != archive.configDigest }
      await underway.leave(entered)
      return result
    } catch {
      await underway.leave(entered)
      throw error
    }
  }

  /// What the engine should lack, then, if that is not enough, everything.
  private func sendLacking(
    _ archive: ImageArchive, as references: [ImageReference], knownLayers known: Int
  ) async throws -> LoadResult {
    var bytesSent: Int64 = 0
    if known > 0 {
      let archive = try await archive.fetching(above: known)
      let piece = PartialArchive.Piece(archive, as: references, knownLayers: known)
      let partial = PartialArchive(piece, hasPlaceholders: isPodman)
      bytesSent = partial.stream.length
      do {
        return try await send(partial, piece, bytesSent: bytesSent)
      } catch is RuntimeError {
        // Layers may have been pruned since we saw them. Everything is sent, and its error counts.
        state.withLock { state in
          state.loaded.removeAll()
          state.others = []
        }
      }
    }
    let archive = try await archive.fetching()
    let piece = PartialArchive.Piece(archive, as: references, knownLayers: 0)
    let whole = PartialArchive(piece)
    bytesSent += whole.stream.length
    return try await send(whole, piece, bytesSent: bytesSent)
  }

  private func send(
    _ partial: PartialArchive, _ piece: PartialArchive.Piece, bytesSent: Int64
  ) async throws -> LoadResult {
    let (archive, references) = (piece.archive, piece.references)
    do {
      // The engine checks every layer of an image before it moves the first of its names.
      if isPodman {
        try await client.load(partial.stream)
      } else {
        let part = Part(piece: piece, progress: LoadProgress.current)
        try await combiner.run(part) { parts in await self.bring(parts) }
      }
    } catch let error as RuntimeError where error.kind == .refused {
      throw error.about(references[0])
    }
    let present = try await client.images(named: references)
    for reference in references where present[reference]?.id != archive.configDigest {
      throw RuntimeError(
        mismatch: reference, expected: archive.configDigest, found: present[reference]?.id,
        in: client)
    }
    remember(archive, as: references)
    return LoadResult(
      isChanged: true, id: archive.configDigest, bytesSent: bytesSent,
      layersSent: partial.layersSent, layersTotal: archive.layers.count)
  }

  /// Brings images together, in one stream; where that fails, each for itself, so that each has its own error.
  private func bring(_ parts: [Part]) async -> [Result<Void, any Error>] {
    func attempt(_ parts: [Part]) async -> Result<Void, any Error> {
      let archive = PartialArchive(
        parts.map(\.piece), telling: parts.compactMap(\.progress))
      do {
        return .success(try await client.load(archive.stream))
      } catch {
        return .failure(error)
      }
    }
    let together = await attempt(parts)
    if case .failure = together, parts.count > 1, !Task.isCancelled {
      var results: [Result<Void, any Error>] = []
      for part in parts { results.append(await attempt([part])) }
      return results
    }
    return parts.map { _ in together }
  }

  /// How many layers, from the bottom, the engine should have: those of an image that a name
  /// stands for, or of one that we loaded, whichever shares more.
  private func knownLayers(
    of archive: ImageArchive, below present: [ImageReference: EngineClient.Image]
  ) -> Int {
    let wanted = archive.layers.map(\.diffID)
    let candidates =
      state.withLock { $0.loaded.values + ($0.others ?? []) } + present.values.map(\.layers)
    return candidates.map { zip(wanted, $0).prefix { $0 == $1 }.count }.max() ?? 0
  }

  /// A load of more bytes is worth a look at all images first, which takes some milliseconds an image.
  private static let worthLooking: Int64 = 4 << 20

  /// Looks, once, which layers the engine has by images that this run has not seen: another run may have loaded
  /// them, or another name.
  private func lookAtAll() async {
    guard state.withLock({ $0.others }) == nil else { return }
    // What it does not tell is sent.
    let others = (try? await client.layersOfAllImages()) ?? []
    state.withLock { $0.others = others }
  }

  private func remember(_ archive: ImageArchive, as references: [ImageReference]) {
    let layers = archive.layers.map(\.diffID)
    state.withLock { state in
      for reference in references { state.loaded[reference] = layers }
    }
  }

  /// Asked once: the store is a setting of the engine that takes a restart to change.
  private func info() async throws -> EngineClient.Info {
    if let info = state.withLock({ $0.info }) { return info }
    let info = try await client.info()
    state.withLock { $0.info = info }
    return info
  }
}
