import Synchronization

/// A clock whose seconds are short once it is told to hurry, and as long as everybody's until then.
///
/// So a slow machine has all the time that it needs to get to the point where the waiting is to begin.
package struct QuickClock: Clock {
  package typealias Instant = ManualClock.Instant

  private final class Pace: Sendable {
    /// When it began to hurry, after the start.
    let hurriedAt = Mutex<Duration?>(nil)
  }

  private let factor: Int
  private let base = ContinuousClock()
  private let start = ContinuousClock().now
  private let pace = Pace()

  /// How long a sleeper may take to notice that the clock hurries.
  private static let glance = Duration.milliseconds(50)

  package init(factor: Int) { self.factor = factor }

  package func hurry() {
    let elapsed = start.duration(to: base.now)
    pace.hurriedAt.withLock { $0 = $0 ?? elapsed }
  }

  package var now: Instant {
    let elapsed = start.duration(to: base.now)
    guard let hurriedAt = pace.hurriedAt.withLock(\.self), hurriedAt < elapsed else {
      return Instant(offset: elapsed)
    }
    return Instant(offset: hurriedAt + (elapsed - hurriedAt) * factor)
  }

  package var minimumResolution: Duration { base.minimumResolution }

  package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    while true {
      let left = now.duration(to: deadline)
      guard left > .zero else { return }
      let isHurrying = pace.hurriedAt.withLock { $0 != nil }
      let wait = isHurrying ? left / factor : min(left, Self.glance)
      try await base.sleep(until: base.now.advanced(by: wait), tolerance: tolerance)
    }
  }
}
