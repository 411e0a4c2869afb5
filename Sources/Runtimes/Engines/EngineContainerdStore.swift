import Images
import Synchronization

/// Loads images into Docker's containerd image store: the blobs that it lacks, then, on any doubt,
/// everything once.
///
/// The store takes an OCI layout without the blobs that it has. What goes wrong with one shows late,
/// or not at all: an image that can't be unpacked is stored, and has moved its name, before the
/// failure is told, which later versions do in an ordinary message; and one whose blobs are gone,
/// but not its unpacked layers, since a container uses them, is stored without a word. So an image
/// comes in under a name of ours, is looked at, and only then gets its own.
///
/// Imports side by side wait for each other's locks, up to seconds: so what waits goes together, and
/// a layer that several images share goes once.
/// Measured with Docker 26.1.5. Source:
/// https://github.com/moby/moby/blob/v26.1.5/daemon/containerd/image_exporter.go and
/// https://github.com/containerd/containerd/blob/v1.7.24/content/helpers.go
final class EngineContainerdStore: Sendable {
  private struct Held: Hashable {
    var id: Digest
    var blobs: Set<Digest>
  }

  /// What a stream came to for one of its images.
  private struct Sent {
    var share: LayoutArchive.Share
    /// Why the name does not stand for the image now; `nil`: it does.
    var problem: RuntimeError?
  }

  /// Of the names under which images come in.
  private static let repository = "watchbuild/loading"
  private static let counter = Atomic<Int>(0)
  private static var nextNumber: Int { counter.add(1, ordering: .relaxed).newValue }

  private let client: EngineClient
  private let combiner = LoadCombiner<LayoutLoad, LoadResult>()
  private struct State {
    /// What we loaded last under each name, or found there whole.
    var held: [ImageReference: Held] = [:]
    var isTidy = false
    /// Diff IDs of all layers that the store had when it was looked at; `nil`: not yet.
    var others: Set<Digest>?
  }
  private let state = Mutex(State())

  init(_ client: EngineClient) {
    self.client = client
  }

  func load(_ archive: ImageArchive, as references: [ImageReference]) async throws -> LoadResult {
    let image = try await LayoutImage(archive, manifest: .ours)
    let load = LayoutLoad(image: image, references: references)
    let present = try await client.images(named: references).mapValues(\.id)
    if try await isThere(load, present) { return load.result(isChanged: false, []) }
    var result = try await combiner.run(load) { await self.load($0) }
    result.replaced = present.filter { $0.value != load.image.manifest.digest }
    return result
  }

  /// What comes next is another engine, or one that has lost what it had.
  func forget() {
    state.withLock { state in
      state.held = [:]
      state.others = []
    }
  }

  /// Takes away, once, the names that a process which was killed has left behind.
  private func tidy() async {
    let isTidy = state.withLock { state in
      defer { state.isTidy = true }
      return state.isTidy
    }
    guard !isTidy else { return }
    // Why the engine does not answer, if it does not, the load finds out.
    let names = ((try? await client.names(in: Self.repository)) ?? []).filter { name in
      TemporaryName(name.dropFirst(Self.repository.count + 1))?.isAbandoned() == true
    }
    await client.remove(names: names)
  }

  /// What somebody else gave this name is looked at as closely as what we sent.
  private func isThere(
    _ load: LayoutLoad, _ present: [ImageReference: Digest]
  ) async throws -> Bool {
    let id = load.image.manifest.digest
    guard load.references.allSatisfy({ present[$0] == id }) else { return false }
    let held = state.withLock { $0.held }
    if load.references.allSatisfy({ held[$0]?.id == id }) { return true }
    let wholeness = try await client.wholeness(of: load.reference.familiar, id)
    guard load.canRun(wholeness) else { return false }
    remember(load)
    return true
  }

  private func load(_ loads: [LayoutLoad]) async -> [Result<LoadResult, any Error>] {
    await tidy()
    do {
      let known = try await knownBlobs(of: loads)
      let sent = try await send(loads, omitting: known)
      var answers: [Result<LoadResult, any Error>] = []
      for (load, first) in zip(loads, sent) {
        answers.append(await result(of: load, first, inLotOf: loads.count, omitting: known))
      }
      return answers
    } catch {
      guard loads.count > 1, error is ImageArchiveError else {
        return loads.map { _ in .failure(error) }
      }
      // One bad archive is one bad image.
      var answers: [Result<LoadResult, any Error>] = []
      for load in loads { answers += await self.load([load]) }
      return answers
    }
  }

  private func result(
    of load: LayoutLoad, _ first: Sent, inLotOf count: Int, omitting known: Set<Digest>
  ) async -> Result<LoadResult, any Error> {
    do {
      var sent: [Sent] = [first]
      if count > 1, first.problem != nil {
        // One that can't be unpacked leaves those after it packed.
        sent += try await send([load], omitting: known)
      }
      if sent.last?.problem != nil, !known.isDisjoint(with: load.image.digests) {
        forget()
        sent += try await send([load], omitting: [])
      }
      if let problem = sent.last?.problem { return .failure(problem) }
      remember(load)
      var result = load.result(isChanged: true, sent.map(\.share))
      result.layersSent = sent.last?.share.layers ?? 0
      return .success(result)
    } catch {
      return .failure(error)
    }
  }

  /// Blobs that the store should have: of the images that the names stand for, where they are stored
  /// as they are here, and of those that we loaded.
  private func knownBlobs(of loads: [LayoutLoad]) async throws -> Set<Digest> {
    var known = state.withLock { Set($0.held.values.flatMap(\.blobs)) }
    for load in loads {
      var present = await others(for: load, besides: known)
      for reference in load.references {
        present.formUnion(try await client.image(reference.description)?.layers ?? [])
      }
      for (layer, digest) in zip(load.image.archive.layers, load.image.digests)
      where present.contains(layer.diffID) {
        known.insert(digest)
      }
    }
    return known
  }

  /// A load of more bytes is worth a look at all images first.
  private static let worthLooking: Int64 = 4 << 20

  /// The layers of other images, where much would have to be sent. They may be stored in another form than
  /// here, which shows when the image is looked at.
  private func others(
    for load: LayoutLoad, besides known: Set<Digest>
  ) async -> Set<Digest> {
    let size = zip(load.image.archive.layers, load.image.digests)
      .reduce(0) { $0 + (known.contains($1.1) ? 0 : $1.0.size) }
    if size < Self.worthLooking { return [] }
    if let others = state.withLock({ $0.others }) { return others }
    // What it does not tell is sent.
    let others = Set(((try? await client.layersOfAllImages()) ?? []).joined())
    state.withLock { $0.others = others }
    return others
  }

  private func remember(_ load: LayoutLoad) {
    let held = Held(id: load.image.manifest.digest, blobs: Set(load.image.digests))
    state.withLock { state in
      for reference in load.references { state.held[reference] = held }
    }
  }
}

extension EngineContainerdStore {
  /// Sends images in one stream, and moves the name of each that is then there and whole.
  ///
  /// - Throws: `RuntimeError` when the engine does not answer; `ImageArchiveError`;
  ///   `CancellationError`. No name of ours stays.
  private func send(_ loads: [LayoutLoad], omitting known: Set<Digest>) async throws -> [Sent] {
    var names: [String] = []
    var entries: [LayoutArchive.Entry] = []
    for var load in loads {
      load.image = try await load.image.fetching(omitting: known)
      // No two loads use one, and no person this name.
      let name = "\(Self.repository):\(TemporaryName(number: Self.nextNumber).text)"
      names.append(name)
      var entry = LayoutArchive.Entry(load.image, as: load.reference)
      entry.name = name
      entry.normalizedName = "docker.io/\(name)"
      entry.progress = load.progress
      entries.append(entry)
    }
    let archive = LayoutArchive(entries, omitting: known)
    do {
      let refusal = try await refusal(of: archive.stream)
      var sent: [Sent] = []
      for ((load, name), share) in zip(zip(loads, names), archive.shares) {
        let isWhole = known.isDisjoint(with: load.image.digests)
        let problem: RuntimeError?
        do {
          problem =
            loads.count == 1 && refusal != nil
            ? refusal?.about(load.reference)
            : try await move(load, from: name, isWhole: isWhole, refusal)
        } catch let error as RuntimeError where error.kind == .refused {
          problem = error.about(load.reference)
        }
        sent.append(Sent(share: share, problem: problem))
      }
      await client.remove(names: names)
      return sent
    } catch {
      await client.remove(names: names)
      throw error
    }
  }

  private func refusal(of stream: ImageStream) async throws -> RuntimeError? {
    do {
      try await client.load(stream)
      return nil
    } catch let error as RuntimeError where error.kind == .refused {
      return error
    }
  }

  /// Gives an image that came in under a name of ours its own names, if it is what was sent.
  ///
  /// - Parameters:
  ///   - isWhole: All of it was sent.
  ///   - refusal: What the engine said of the stream that it was in.
  /// - Returns: Why it does not have them.
  private func move(
    _ load: LayoutLoad, from name: String, isWhole: Bool, _ refusal: RuntimeError?
  ) async throws -> RuntimeError? {
    let id = load.image.manifest.digest
    let present = try await client.image(name)
    guard let present, present.id == id, present.layers == load.image.archive.layers.map(\.diffID)
    else {
      return refusal?.about(load.reference)
        ?? RuntimeError(mismatch: load.reference, expected: id, found: present?.id, in: client)
    }
    let wholeness = try await client.wholeness(of: name, id)
    // Of what was sent whole, one sign is enough: versions differ in what they unpack and list.
    let isGood =
      load.canRun(wholeness)
      || isWhole && refusal == nil && (wholeness.isUnpacked || wholeness.isComplete)
    guard isGood else {
      return refusal?.about(load.reference)
        ?? RuntimeError(
          runtime: client.runtime, kind: .refused,
          message: "\(load.reference): \(client.runtime) stored the image, but did not unpack it",
          hint: "dockerd's log may say why; is its disk full?")
    }
    for reference in load.references {
      try await client.tag(name, as: reference)
      let named = try await client.image(reference.description)
      guard named?.id == id else {
        return RuntimeError(mismatch: reference, expected: id, found: named?.id, in: client)
      }
    }
    return nil
  }
}

extension LayoutLoad {
  /// Whether what the engine has of it is all that it needs. An image for another machine may stay
  /// packed.
  fileprivate func canRun(_ wholeness: EngineClient.Wholeness) -> Bool {
    wholeness.isComplete && (wholeness.isUnpacked || image.archive.platform != .host)
  }
}
