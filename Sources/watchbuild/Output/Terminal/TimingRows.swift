import Basics
import Events

/// Where the time of the latest cycles went, for the key `t`: a value that follows the events.
struct TimingRows: Sendable {
  /// So many cycles are shown.
  private static let limit = 10

  private var cycles: [(number: Int, subject: String, ended: Event.CycleEnded)] = []
  private var subject = ""

  /// To be given every event, in order.
  mutating func add(_ event: Event) {
    switch event.kind {
    case .batch(let batch):
      subject =
        batch.changes.first?.path.split(separator: "/").last.map(String.init) ?? batch.cause
    case .cycle(let ended):
      cycles.append((event.cycle ?? 0, subject, ended))
      cycles = Array(cycles.suffix(Self.limit))
    default: break
    }
  }

  var rows: [StyledText] {
    guard !cycles.isEmpty else { return [StyledText("no cycle has ended yet")] }
    return cycles.map { number, subject, ended in
      let timings = ended.timings
      let parts = [
        ("window", timings.windowMs), ("plan", timings.planMs), ("lock", timings.lockMs),
        ("bazel", timings.bazelMs), ("load", timings.loadMs), ("rollout", timings.rolloutMs),
      ].filter { $0.1 > 0 }.map { "\($0.0) \($0.1) ms" }
      return StyledText(
        "[\(number)] \(Quantity.seconds(timings.totalMs))  \(parts.joined(separator: " · "))  \(subject)"
      )
    } + [StyledText("more: watchbuild profile")]
  }
}
