package import FoundationEssentials

extension EventHub.Reading {
  /// What was read, as an event: a gap is one too.
  ///
  /// - Parameter now: The time of day.
  package func event(at now: Date) -> Event {
    switch self {
    case .event(let event): event
    case .missed(let numbers):
      Event(sequence: numbers.upperBound, time: now, cycle: nil, kind: .missed(.init(numbers)))
    }
  }
}
