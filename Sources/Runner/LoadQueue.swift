import Basics
import Graph
import Images
import Runtimes

/// Loads built images into runtimes, some at once, while the build goes on.
struct LoadQueue<C: Clock<Duration>>: Sendable {
  /// One image for one runtime.
  struct Job: Sendable {
    var image: ImageTarget
    var archive: ImageArchive
    /// All names that the image is to have there, of which there is at least one.
    var references: [ImageReference]
    var runtime: any ImageRuntime
  }

  /// Loads at once into one runtime.
  let limit: Int
  /// Where what was loaded is written down; `nil`: nowhere.
  var ledger: Ledger?
  /// Told what the runtimes hold.
  var held = HeldImages()
  /// Told of each load, so that one whose image is to be built anew can be ended.
  var underway = LoadsUnderway()
  let record: CycleRecord
  let clock: C

  /// A job in its lane.
  private struct Entry: Sendable {
    var job: Job
    var ticket: LoadsUnderway.Ticket
  }

  /// Loads until the jobs end and the last load with them.
  ///
  /// Every runtime has a lane of its own, so that a slow one holds up no other.
  func run(_ jobs: AsyncStream<Job>) async {
    await withTaskGroup(of: Void.self) { group in
      // Not bounded by us: there are as many jobs as images, each an open file.
      var lanes: [String: AsyncStream<Entry>.Continuation] = [:]
      for await job in jobs {
        let name = job.runtime.name
        if lanes[name] == nil {
          let (waiting, lane) = AsyncStream.makeStream(of: Entry.self)
          lanes[name] = lane
          // One that takes what waits together must see what waits.
          let limit = job.runtime.combinesLoads ? Int.max : max(limit, 1)
          group.addTask { await run(waiting, limit: limit) }
        }
        lanes[name]?.yield(Entry(job: job, ticket: underway.enter(job.image.name, into: name)))
      }
      for lane in lanes.values { lane.finish() }
    }
  }

  private func run(_ entries: AsyncStream<Entry>, limit: Int) async {
    await withTaskGroup(of: Void.self) { group in
      var running = 0
      for await entry in entries {
        if running == limit {
          await group.next()
          running -= 1
        }
        group.addTask { await load(entry.job, entry.ticket) }
        running += 1
      }
    }
  }

  private func load(_ job: Job, _ ticket: LoadsUnderway.Ticket) async {
    let start = clock.now
    do {
      let ended = try await ticket.run {
        try await telling(job, ticket.progress) {
          try await loadInTurn(job)
        }
      }
      guard let result = ended else {
        return record.cancelled(job.image, because: "it has changed again, and is built anew")
      }
      held.hold(job.image.name, result.id, as: job.references, in: job.runtime.name)
      record.loaded(
        job.image, result, as: job.references, runtime: job.runtime.name,
        ms: start.duration(to: clock.now).milliseconds)
    } catch is CancellationError {
      record.cancelled(job.image, because: "interrupted while loading")
    } catch {
      record.failedLoad(
        job.image, "\(error)", as: job.references, runtime: job.runtime.name)
    }
  }

  /// Loads while nothing is removed there, and writes down what was loaded before anything is.
  private func loadInTurn(_ job: Job) async throws -> LoadResult {
    guard let ledger else { return try await job.runtime.load(job.archive, as: job.references) }
    return try await ledger.lane(of: job.runtime.name).sharing {
      let result = try await job.runtime.load(job.archive, as: job.references)
      if result.isChanged {
        // An image that is not written down is one that is never removed: no reason to fail.
        try? await ledger.loaded(result.id, as: job.references, into: job.runtime.name)
      }
      return result
    }
  }

  /// Tells every second how far a load has got.
  private func telling(
    _ job: Job, _ progress: LoadProgress,
    _ load: @escaping @Sendable () async throws -> LoadResult
  ) async throws -> LoadResult {
    try await withThrowingTaskGroup(of: LoadResult?.self) { group in
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
            job.image, count, bytesPerSecond: count.sent - last, as: job.references[0],
            runtime: job.runtime.name)
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
