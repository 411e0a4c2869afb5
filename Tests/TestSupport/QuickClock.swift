/// A clock on which time passes many times as fast as it does.
///
/// For tests with real parts, of what waits for minutes.
package struct QuickClock: Clock {
  package typealias Instant = ManualClock.Instant

  private let factor: Int
  private let base = ContinuousClock()
  private let start = ContinuousClock().now

  package init(factor: Int) { self.factor = factor }

  package var now: Instant { Instant(offset: start.duration(to: base.now) * factor) }
  package var minimumResolution: Duration { base.minimumResolution }

  package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    try await base.sleep(until: start.advanced(by: deadline.offset / factor), tolerance: tolerance)
  }
}
