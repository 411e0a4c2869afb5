import Images

/// Decides which losses are mended now: one at once, and one that comes again and again ever more
/// rarely, since somebody else may want the name as much as we do.
///
/// A value without clock: a shell tells it the time.
struct LossJudgement<Instant: InstantProtocol<Duration>>: Sendable {
  private struct Quarrel {
    /// The number of losses of the name in a row.
    var count: Int
    /// When that was mended last.
    var mended: Instant
  }

  struct Verdict: Equatable {
    /// The names to mend now, with the number of times that each was mended before.
    var due: [ImageReference: Int] = [:]
    /// When to look again for what is lost, but not to be mended yet.
    var next: Instant?
  }

  /// One that was left alone for so long is lost for the first time again.
  private static var calm: Duration { .seconds(900) }
  private static var firstWait: Duration { .seconds(10) }
  private static var longestWait: Duration { .seconds(600) }

  private var quarrels: [ImageReference: Quarrel] = [:]

  /// - Parameter lost: All that is lost now.
  mutating func judge(_ lost: some Sequence<ImageReference>, at now: Instant) -> Verdict {
    quarrels = quarrels.filter { $0.value.mended.duration(to: now) < Self.calm }
    var verdict = Verdict()
    for reference in lost {
      let count = quarrels[reference]?.count ?? 0
      let due = quarrels[reference].map { $0.mended.advanced(by: Self.wait(after: $0.count)) }
      if let due, now < due {
        verdict.next = min(verdict.next ?? due, due)
      } else {
        verdict.due[reference] = count
        quarrels[reference] = Quarrel(count: count + 1, mended: now)
      }
    }
    return verdict
  }

  private static func wait(after count: Int) -> Duration {
    min(firstWait * (1 << min(count - 1, 10)), longestWait)
  }
}
