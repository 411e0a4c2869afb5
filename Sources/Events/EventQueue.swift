/// Events that wait for a reader, in order, up to a limit.
///
/// Beyond it they are left out. What follows then begins with an event that says so; it takes the
/// number of the last one that is missing, so that numbers still only grow.
struct EventQueue: Sendable {
  private let limit: Int
  private var waiting: [Event] = []
  /// Of `waiting`: those before it have been taken.
  private var next = 0
  private var lost = 0
  private var lastLost: Event?

  /// - Parameter limit: More than any normal run has while its reader is merely slow.
  init(limit: Int) { self.limit = limit }

  var isEmpty: Bool { next == waiting.count && lost == 0 }

  mutating func add(_ event: Event) {
    guard waiting.count - next < limit else {
      lost += 1
      lastLost = event
      return
    }
    if let gap = takeGap() { waiting.append(gap) }
    waiting.append(event)
  }

  /// - Returns: The one that has waited longest; `nil` when there is none.
  mutating func take() -> Event? {
    guard next < waiting.count else { return takeGap() }
    defer {
      next += 1
      // Moved to the front now and then, so that each is moved once on the whole.
      if next == waiting.count || next >= 1024 {
        waiting.removeFirst(next)
        next = 0
      }
    }
    return waiting[next]
  }

  private mutating func takeGap() -> Event? {
    guard var gap = lastLost else { return nil }
    gap.cycle = nil
    gap.kind = .degraded(
      reason:
        "\(lost) events are missing here: nobody read them for so long that they were left out")
    (lost, lastLost) = (0, nil)
    return gap
  }
}
