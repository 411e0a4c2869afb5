import Batching
import Events
import Graph
import Synchronization

/// Answers what the cycle came to.
extension CycleRecord {
  /// Images that are current, and were not when the cycle began.
  var fresh: Set<String> { state.withLock { $0.fresh.intersection($0.progress.current) } }

  /// Images that failed, and a line that says so; `nil`: nothing has failed.
  var failure: (images: Set<String>, summary: String)? {
    let (failed, hasFailedHook) = state.withLock { ($0.progress.failed, $0.hasFailedHook) }
    guard !failed.isEmpty || hasFailedHook else { return nil }
    let summary =
      failed.isEmpty
      ? "a hook failed" : "\(failed.count) failed (\(failed.sorted().joined(separator: ", ")))"
    return (failed, summary)
  }

  /// Images that are neither done nor failed.
  var unfinished: Set<String> { state.withLock(\.progress.unfinished) }

  /// The stage that an image has reached; `nil`: none yet, or it failed.
  func stage(of image: String) -> Stage? { state.withLock { $0.progress.stage(of: image) } }

  func isCurrent(_ image: String) -> Bool { state.withLock { $0.progress.current.contains(image) } }

  func isAsked(for image: String) -> Bool { state.withLock { $0.progress[image] != nil } }

  var lockProblem: String? { state.withLock(\.lockProblem) }

  /// Told in `cycle`, and handed to the loop.
  func end(totalMs: Int, indexes: [TargetIndex]) -> CycleOutcome {
    var outcome = CycleOutcome()
    outcome.indexes = indexes
    state.withLock(\.progress).tell(&outcome)
    let (timings, phases, commands, hasDiscarded) = state.withLock { state in
      state.timings.totalMs = totalMs
      outcome.isInterrupted = state.isInterrupted
      outcome.lockProblem = state.lockProblem
      outcome.waiting = state.waiting
      outcome.isRefused = state.isRefused
      outcome.hasFailedHook = state.hasFailedHook
      return (state.timings, state.phases, state.commands, state.hasDiscardedCache)
    }
    let cost =
      outcome.isInterrupted || commands == 0
      ? nil : history.ended(bazelMs: timings.bazelMs, hasDiscarded: hasDiscarded)
    let failed = outcome.failedBuilds.union(outcome.troubled).union(outcome.undelivered)
    record(
      .cycle(
        Event.CycleEnded(
          status: outcome.isInterrupted
            ? .cancelled : failed.isEmpty && !outcome.hasFailedHook ? .ok : .failed,
          ok: outcome.current.count, failed: failed.count, heldUp: outcome.heldUp.count,
          failedImages: failed.sorted(), timings: timings, bazelCommands: commands, phases: phases,
          cacheCostMs: cost)))
    return outcome
  }
}
