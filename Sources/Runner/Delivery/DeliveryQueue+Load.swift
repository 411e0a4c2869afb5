import Basics
import Graph
import Images
import Runtimes

/// The step that gives an image to a runtime.
extension DeliveryQueue {
  /// What a load came to.
  private struct Load: Sendable {
    var result: LoadResult
    /// Names that stood for images of other tools, with the IDs of these.
    var takenOver: [ImageReference: Digest] = [:]
  }

  /// - Returns: The ID under which the runtime holds the image; `nil` when it does not.
  func load(_ entry: Entry, into runtime: any ImageRuntime) async -> Digest? {
    let (delivery, ticket) = (entry.delivery, entry.ticket)
    let start = clock.now
    do {
      let ended = try await ticket.run {
        try await telling(delivery, runtime, ticket.progress) {
          try await loadInTurn(delivery, into: runtime)
        }
      }
      guard let load = ended else {
        record.cancelled(
          delivery.image, because: "it has changed again, and is built anew")
        return nil
      }
      held.hold(delivery.image.name, load.result.id, as: delivery.references, in: runtime.name)
      record.loaded(
        delivery.image, load.result, as: delivery.references, takenOver: load.takenOver,
        runtime: runtime.name, ms: start.duration(to: clock.now).milliseconds)
      return load.result.id
    } catch is CancellationError {
      record.cancelled(delivery.image, because: "interrupted while loading")
    } catch {
      record.failedLoad(
        delivery.image, "\(error)", as: delivery.references, runtime: runtime.name)
    }
    return nil
  }

  /// Loads while nothing is removed there, and writes down what was loaded before anything is.
  private func loadInTurn(
    _ delivery: Delivery, into runtime: any ImageRuntime
  ) async throws -> Load {
    guard let ledger else {
      return Load(result: try await runtime.load(delivery.archive, as: delivery.references))
    }
    return try await ledger.lane(of: runtime.name).sharing {
      let result = try await runtime.load(delivery.archive, as: delivery.references)
      if result.isChanged {
        // An image that is not written down is one that is never removed: no reason to fail.
        try? await ledger.loaded(result.id, as: delivery.references, into: runtime.name)
      }
      return Load(result: result, takenOver: await takenOver(result, ledger, runtime.name))
    }
  }

  /// Names that stood for images which watchbuild did not load. Without a ledger nobody can tell.
  ///
  /// The ledger is read only where this run does not know the image: the first time that a name moves.
  private func takenOver(
    _ result: LoadResult, _ ledger: Ledger, _ runtime: String
  ) async -> [ImageReference: Digest] {
    let replaced = result.replaced.filter { name, id in
      held.latest(of: name, in: runtime) != id
    }
    guard !replaced.isEmpty, let entries = try? await ledger.entries() else { return [:] }
    let ours = Set(entries.lazy.filter { $0.runtime == runtime }.map(\.id))
    return replaced.filter { !ours.contains($0.value.description) }
  }

  /// Tells every second how far a load has got.
  private func telling(
    _ delivery: Delivery, _ runtime: any ImageRuntime, _ progress: LoadProgress,
    _ load: @escaping @Sendable () async throws -> Load
  ) async throws -> Load {
    try await withThrowingTaskGroup(of: Load?.self) { group in
      group.addTask { try await LoadProgress.$current.withValue(progress) { try await load() } }
      group.addTask {
        var last: Int64 = 0
        while true {
          do {
            try await clock.pause(for: .seconds(1))
          } catch {
            // The load has ended.
            return nil
          }
          let count = progress.count
          record.loading(
            delivery.image, count, bytesPerSecond: count.sent - last, as: delivery.references[0],
            runtime: runtime.name)
          last = count.sent
        }
      }
      defer { group.cancelAll() }
      while let result = try await group.next() {
        if let result { return result }
      }
      throw CancellationError()
    }
  }
}
