import Basics
import Images
import Synchronization

/// A runtime let us wait too long.
struct Silence: Error, Hashable, CustomStringConvertible {
  var waited: Duration
  /// It answers other questions.
  var isAlive = false

  var description: String {
    isAlive
      ? "no byte has moved for \(waited.components.seconds) s, though it answers"
      : "not a word from it for \(waited.components.seconds) s"
  }
}

extension Silence {
  /// Runs what is over soon where all is well.
  ///
  /// - Throws: `Silence` when it was not, and has been cancelled; what `work` throws.
  static func limiting<Success: Sendable>(
    to limit: Duration, clock: any Clock<Duration>,
    _ work: @escaping @Sendable () async throws -> Success
  ) async throws -> Success {
    try await racing(work) {
      try await clock.pause(for: limit)
      throw Silence(waited: limit)
    }
  }

  /// Runs a load, for as long as its bytes move or the runtime is likely to be at work on them.
  ///
  /// - Parameters:
  ///   - movement: Counts the bytes.
  ///   - patience: The runtime's.
  ///   - isAlive: Asks the runtime something else, on another way than the load's.
  /// - Throws: `Silence` when it was given up, and has been cancelled; what `work` throws.
  static func watching<Success: Sendable>(
    _ movement: LoadProgress, _ patience: LoadPatience, clock: any Clock<Duration>,
    isAlive: @escaping @Sendable () async -> Bool,
    _ work: @escaping @Sendable () async throws -> Success
  ) async throws -> Success {
    let success = try await racing(work) {
      var stillness = Stillness(factor: patience.factor)
      while true {
        try await clock.pause(for: Stillness.interval)
        switch stillness.look(at: movement.count) {
        case .wait: break
        case .ask:
          let answer = try? await limiting(to: .seconds(10), clock: clock) { await isAlive() }
          try Task.checkCancellation()
          stillness.answered(answer ?? false)
        case .endOfSilence: throw Silence(waited: stillness.duration)
        case .endOfPatience:
          patience.wasTooShort()
          throw Silence(waited: stillness.duration, isAlive: true)
        }
      }
    }
    patience.wasEnough()
    return success
  }

  /// Whichever ends first ends the other.
  private static func racing<Success: Sendable>(
    _ work: @escaping @Sendable () async throws -> Success,
    against watch: @escaping @Sendable () async throws -> Success
  ) async throws -> Success {
    try await withThrowingTaskGroup(of: Success.self) { group in
      group.addTask { try await work() }
      group.addTask { try await watch() }
      defer { group.cancelAll() }
      guard let first = try await group.next() else { throw CancellationError() }
      return first
    }
  }
}

/// The time that a runtime's loads are waited for: longer each time that it was too short, so that on the
/// slowest machine, too, they come to an end.
final class LoadPatience: Sendable {
  private static let longest = 16

  private let state = Mutex(1)

  /// The wait is so many times as long as usual.
  var factor: Int { state.withLock { $0 } }

  func wasTooShort() { state.withLock { $0 = min($0 * 2, Self.longest) } }

  func wasEnough() { state.withLock { $0 = 1 } }
}
