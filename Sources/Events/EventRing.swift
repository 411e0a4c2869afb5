/// The latest events of a run, up to a limit, each found by its number: pure.
struct EventRing: Sendable {
  private let limit: Int
  private var events: [Event] = []
  /// Where the oldest one lies, once the ring is full.
  private var start = 0
  /// The number of the newest event; 0 before the first.
  private(set) var last = 0
  private var lastBuild: Event.BuildStarted?

  /// - Parameter limit: At least 1.
  init(limit: Int) {
    precondition(limit > 0, "a ring holds at least one event")
    self.limit = limit
  }

  /// All that are held, in their order.
  var all: [Event] { Array(events[start...] + events[..<start]) }

  /// Takes the event that follows the newest; the oldest makes room for it.
  mutating func append(_ event: Event) {
    precondition(event.sequence == last + 1, "events are numbered without a gap")
    last = event.sequence
    let event = shared(event)
    if events.count < limit {
      events.append(event)
    } else {
      events[start] = event
      start = (start + 1) % limit
    }
  }

  private mutating func shared(_ event: Event) -> Event {
    guard case .build(let build) = event.kind else { return event }
    let shared = lastBuild.map(build.sharing) ?? build
    lastBuild = shared
    var event = event
    event.kind = .build(shared)
    return event
  }

  /// What a reader gets next that has read up to a number, and moves that number on.
  ///
  /// - Parameters:
  ///   - cursor: The number of the event that was read last. One that no event has had yet counts as the newest.
  ///   - end: Events behind this number are not given.
  /// - Returns: `nil` where it has read all.
  func next(after cursor: inout Int, upTo end: Int = .max) -> EventHub.Reading? {
    cursor = min(cursor, last)
    guard cursor < min(last, end) else { return nil }
    let first = last - events.count + 1
    guard cursor + 1 >= first else {
      let missed = (cursor + 1)...min(first - 1, end)
      cursor = missed.upperBound
      return .missed(missed)
    }
    cursor += 1
    return .event(events[(start + cursor - first) % events.count])
  }
}
