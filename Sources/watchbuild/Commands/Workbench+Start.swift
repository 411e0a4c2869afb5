import Bazel
import Events
import Graph
import Runner
import Settings
import Synchronization

extension Workbench {
  /// The images at the start of a run, and what Bazel complained of while they were looked for: that is the
  /// first cycle's to tell.
  ///
  /// - Throws: As `images`; then all has been told.
  func firstImages() async throws -> (images: [ImageTarget], heard: [BuildUpdate]) {
    let heard = Heard()
    let bench = with(settings) { update in
      if case .diagnostic = update { heard.add(update) } else { log.record(update) }
    }
    do {
      return (try await bench.images(), heard.all)
    } catch {
      for update in heard.all { log.record(update) }
      throw error
    }
  }

  /// Does the work of a run while each second is told what is being done.
  func tellingActivity<Success: Sendable>(
    _ work: () async throws -> Success
  ) async throws -> Success {
    // What is no answer is not needed: nothing is usual then.
    for cycle in (try? ProfileStore.latest(in: settings.profileDirectory))?.cycles ?? []
    where cycle.status == .ok && cycle.bazelCommands > 0 {
      activity.remember(cycle.timings.totalMs, cause: cycle.cause)
    }
    async let _: Void = activity.tell(log, clock: clock)
    return try await work()
  }

  private final class Heard: Sendable {
    private let updates = Mutex<[BuildUpdate]>([])

    var all: [BuildUpdate] { updates.withLock { $0 } }

    func add(_ update: BuildUpdate) { updates.withLock { $0.append(update) } }
  }
}
