import Basics
import Images
import Runtimes
import Synchronization

/// The delivery steps of a run that are under way, so that one whose image is to be built anew can be ended
/// before its time.
///
/// A load that has not begun to send is ended whenever it is outdated, and so is a rollout. Of the other loads,
/// those end of which more is left than would be lost. A step is ended twice in a row at most: then one is let
/// finish, so that an image whose sources are saved again and again gets to where it runs all the same.
package final class StepsUnderway: Sendable {
  /// The same step of one image, again and again.
  private struct Lane: Hashable {
    var image: String
    var step: DeliveryStep
  }

  private struct Underway {
    var lane: Lane
    var progress: LoadProgress
    var interruption: Interruption
  }

  private struct State {
    var nextID = 0
    var steps: [Int: Underway] = [:]
    /// The number of times in a row.
    var outdated: [Lane: Int] = [:]
  }

  private static let patience = 2

  private let state = Mutex(State())

  package init() {}

  /// Ends steps of these images, which are all to be built and delivered anew. How far a load has got decides.
  ///
  /// May be called at any time, from anywhere. Steps that begin later are not affected.
  package func outdate(_ images: Set<String>) {
    let ended = state.withLock { state in
      let ended = state.steps.values.filter { step in
        images.contains(step.lane.image) && !step.interruption.isInterrupted
          && state.outdated[step.lane, default: 0] < Self.patience
          && step.progress.count.isBetterAbandoned
      }
      for step in ended { state.outdated[step.lane, default: 0] += 1 }
      return ended
    }
    for step in ended { step.interruption.interrupt() }
  }

  /// Takes in a step that is to come.
  func enter(_ step: DeliveryStep, of image: String) -> Ticket {
    let lane = Lane(image: image, step: step)
    let (progress, interruption) = (LoadProgress(), Interruption())
    let id = state.withLock { state in
      state.nextID += 1
      state.steps[state.nextID] = Underway(
        lane: lane, progress: progress, interruption: interruption)
      return state.nextID
    }
    return Ticket(progress: progress, interruption: interruption) { [self] isOutdated in
      state.withLock { state in
        state.steps[id] = nil
        if !isOutdated { state.outdated[lane] = nil }
      }
    }
  }

  /// One step.
  struct Ticket: Sendable {
    let progress: LoadProgress
    fileprivate let interruption: Interruption
    /// Told whether the step was outdated.
    fileprivate let leave: @Sendable (Bool) -> Void

    /// Runs the step to its end, or until it is outdated; to be called once.
    ///
    /// - Returns: `nil` when it was outdated, and has ended.
    func run<Success: Sendable>(
      _ work: @escaping @Sendable () async throws -> Success
    ) async throws -> Success? {
      var isOutdated = interruption.isInterrupted
      defer { leave(isOutdated) }
      if isOutdated { return nil }
      let success = try await interruption.run(work)
      isOutdated = success == nil
      return success
    }
  }
}

extension LoadProgress.Count {
  /// True if a load that has got so far is to be ended, when its image is built anew.
  ///
  /// At worst all that it has sent is sent again; what is left to send is what ending it saves. When
  /// all is sent the runtime is at work on it, and nobody knows for how long.
  var isBetterAbandoned: Bool {
    if total == 0 { return true }
    let left = total - sent
    return left > 0 && left >= sent - kept
  }
}
