import Images
import Processes

/// Loads images into one containerd: the blobs that it lacks, then, on any doubt, everything once.
struct CtrLoader: Sendable {
  var ctr: Ctr

  /// - Returns: One answer for each image, in their order. Never more than one call at a time for
  ///   one namespace: imports side by side hinder each other.
  func load(_ loads: [LayoutLoad]) async -> [Result<LoadResult, any Error>] {
    do {
      let state = try await ctr.state(of: loads)
      let abandoned = state.temporaryNames.filter(Ctr.Import.isAbandoned)
      if !abandoned.isEmpty { try await ctr.remove(abandoned) }
      var answers: [Result<LoadResult, any Error>?] = loads.map { load in
        let isThere = load.names.allSatisfy { name in
          state.names[name] == Ctr.Held(digest: load.image.manifest.digest, isUnpacked: true)
        }
        return isThere ? .success(load.result(isChanged: false, [])) : nil
      }
      let changed = loads.indices.filter { answers[$0] == nil }
      guard !changed.isEmpty else { return answers.compactMap(\.self) }
      let partial = try await send(changed.map { loads[$0] }, omitting: state.blobs)
      for (index, share) in zip(changed, partial.shares) {
        let load = loads[index]
        if partial.done.isSuperset(of: load.names) {
          answers[index] = .success(load.result(isChanged: true, [share]))
        } else {
          answers[index] = await sendWhole(load, after: share)
        }
      }
      return answers.compactMap(\.self)
    } catch {
      guard loads.count > 1, error is ImageArchiveError else {
        return loads.map { _ in .failure(explain(error)) }
      }
      // One bad archive is one bad image.
      var answers: [Result<LoadResult, any Error>] = []
      for load in loads { answers += await self.load([load]) }
      return answers
    }
  }

  private func sendWhole(
    _ load: LayoutLoad, after share: LayoutArchive.Share
  ) async -> Result<LoadResult, any Error> {
    do {
      let whole = try await send([load], omitting: [])
      if whole.done.isSuperset(of: load.names) {
        var sent = whole.shares[0]
        sent.bytes += share.bytes
        return .success(load.result(isChanged: true, [sent]))
      }
      // It may have gone meanwhile; then that is what is to be told.
      _ = try await ctr.state(of: [])
      return .failure(
        RuntimeError(
          runtime: ctr.place, kind: .refused,
          message: "\(load.reference): \(ctr.place) refused the image: \(whole.reason)"))
    } catch {
      return .failure(explain(error))
    }
  }

  private func send(
    _ loads: [LayoutLoad], omitting known: Set<Digest>
  ) async throws -> (done: Set<String>, reason: String, shares: [LayoutArchive.Share]) {
    var loads = loads
    for index in loads.indices {
      loads[index].image = try await loads[index].image.fetching(omitting: known)
    }
    let imports = loads.map(Ctr.Import.init)
    let entries = zip(loads, imports).map { load, item in
      var entry = LayoutArchive.Entry(load.image, as: load.reference)
      entry.normalizedName = item.temporaryName
      entry.progress = load.progress
      return entry
    }
    let archive = LayoutArchive(entries, omitting: known)
    let (done, reason) = try await Ctr.Import.holding(imports) {
      try await ctr.load(imports, archive.stream)
    }
    return (done, reason, archive.shares)
  }

  private func explain(_ error: any Error) -> any Error {
    guard let error = error as? CommandError else { return error }
    return RuntimeError(
      runtime: ctr.place, kind: .unreachable, message: "\(ctr.place) can't be asked: \(error)")
  }
}
