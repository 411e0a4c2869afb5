import Images

/// Decides when a load in which no byte moves is given up.
///
/// A runtime that is at work on what it was sent may say nothing for minutes, and is waited for as
/// long as it answers other questions, within reason; one that answers none is not. A value without
/// clock: it is told at regular times how far the load has got, so that the hours which a machine
/// sleeps do not count.
struct Stillness: Hashable, Sendable {
  enum Verdict: Hashable, Sendable {
    case wait
    /// See whether the runtime answers at all.
    case ask
    /// Nobody is there any more.
    case endOfSilence
    /// It answers, and yet takes much longer than it should.
    case endOfPatience
  }

  /// From one look to the next.
  static let interval = Duration.seconds(5)

  /// In looks: a minute.
  private static let quiet = 12
  /// In looks: two minutes.
  private static let limit = 24
  /// Bytes that the slowest machine unpacks between two looks: four megabytes a second.
  private static let slowest: Int64 = 20_000_000
  private static let unansweredLimit = 2

  /// The wait is so many times as long as usual.
  private let factor: Int
  private var moved: Int64 = -1
  private var still = 0
  private var unanswered = 0

  init(factor: Int = 1) { self.factor = factor }

  /// The time in which no byte has moved.
  var duration: Duration { Self.interval * still }

  /// To be asked once every `interval`.
  mutating func look(at count: LoadProgress.Count) -> Verdict {
    let now = count.sent + count.received
    guard now == moved else {
      moved = now
      still = 0
      unanswered = 0
      return .wait
    }
    still += 1
    if unanswered >= Self.unansweredLimit { return .endOfSilence }
    let isSending = count.total == 0 || count.sent < count.total
    let work = isSending ? 0 : Int(count.sent / Self.slowest)
    if still >= (Self.limit + work) * factor { return .endOfPatience }
    return still >= Self.quiet ? .ask : .wait
  }

  /// Tells whether the runtime answered the question that was asked of it.
  mutating func answered(_ isAlive: Bool) { unanswered = isAlive ? 0 : unanswered + 1 }
}
