import Batching

/// Loads built images into runtimes, some at once, while the build goes on.
struct LoadQueue<C: Clock<Duration>>: Sendable {
  /// One image for one runtime.
  struct Job: Sendable {
    var image: ImageTarget
    var archive: ImageArchive
    var reference: ImageReference
    var runtime: any ImageRuntime
  }

  let limit: Int
  let record: CycleRecord
  let clock: C

  /// Loads until the jobs end and the last load with them.
  func run(_ jobs: AsyncStream<Job>) async {
    await withTaskGroup(of: Void.self) { group in
      var running = 0
      for await job in jobs {
        if running == max(limit, 1) {
          await group.next()
          running -= 1
        }
        group.addTask { await load(job) }
        running += 1
      }
    }
  }

  private func load(_ job: Job) async {
    let start = clock.now
    do {
      let result = try await job.runtime.load(job.archive, as: job.reference)
      record.loaded(
        job.image, result, as: job.reference, runtime: job.runtime.name,
        ms: start.duration(to: clock.now).milliseconds)
    } catch is CancellationError {
      record.cancelled(job.image, because: "interrupted while loading")
    } catch {
      record.failedLoad(
        job.image, "\(error)", as: job.reference, runtime: job.runtime.name)
    }
  }
}
