import Images
import Synchronization

/// The loads of a run that are under way, so that one whose image is to be built anew can be ended
/// before its time.
///
/// Loads that have not begun to send are ended whenever they are outdated; of the others, those of
/// which more is left than would be lost. Twice in a row at most: then one is let finish, so that
/// an image whose sources are saved again and again gets into its runtimes all the same.
package final class LoadsUnderway: Sendable {
  /// The loads of one image into one runtime.
  private struct Lane: Hashable {
    var image: String
    var runtime: String
  }

  private struct Load {
    var lane: Lane
    var progress: LoadProgress
    var interruption: Interruption
  }

  private struct State {
    var nextID = 0
    var loads: [Int: Load] = [:]
    /// How often in a row.
    var outdated: [Lane: Int] = [:]
  }

  private static let patience = 2

  private let state = Mutex(State())

  package init() {}

  /// Ends loads of these images, which are all to be built and loaded anew; how far they have got
  /// decides.
  ///
  /// May be called at any time, from anywhere. Loads that begin later are not affected.
  package func outdate(_ images: Set<String>) {
    let ended = state.withLock { state in
      let ended = state.loads.values.filter { load in
        images.contains(load.lane.image) && !load.interruption.isInterrupted
          && state.outdated[load.lane, default: 0] < Self.patience
          && load.progress.count.isBetterAbandoned
      }
      for load in ended { state.outdated[load.lane, default: 0] += 1 }
      return ended
    }
    for load in ended { load.interruption.interrupt() }
  }

  /// Takes in a load that is to come.
  func enter(_ image: String, into runtime: String) -> Ticket {
    let lane = Lane(image: image, runtime: runtime)
    let (progress, interruption) = (LoadProgress(), Interruption())
    let id = state.withLock { state in
      state.nextID += 1
      state.loads[state.nextID] = Load(lane: lane, progress: progress, interruption: interruption)
      return state.nextID
    }
    return Ticket(progress: progress, interruption: interruption) { [self] isOutdated in
      state.withLock { state in
        state.loads[id] = nil
        if !isOutdated { state.outdated[lane] = nil }
      }
    }
  }

  /// One load.
  struct Ticket: Sendable {
    let progress: LoadProgress
    fileprivate let interruption: Interruption
    /// Told whether the load was outdated.
    fileprivate let leave: @Sendable (Bool) -> Void

    /// Runs the load to its end, or until it is outdated; to be called once.
    ///
    /// - Returns: `nil` when it was outdated, and has ended.
    func run<Success: Sendable>(
      _ load: @escaping @Sendable () async throws -> Success
    ) async throws -> Success? {
      var isOutdated = interruption.isInterrupted
      defer { leave(isOutdated) }
      if isOutdated { return nil }
      let success = try await interruption.run(load)
      isOutdated = success == nil
      return success
    }
  }
}

extension LoadProgress.Count {
  /// Whether a load that has got so far is to be ended, when its image is built anew.
  ///
  /// At worst all that it has sent is sent again; what is left to send is what ending it saves. When
  /// all is sent the runtime is at work on it, and nobody knows for how long.
  var isBetterAbandoned: Bool {
    if total == 0 { return true }
    let left = total - sent
    return left > 0 && left >= sent - kept
  }
}
