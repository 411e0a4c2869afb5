import Events

/// Which events people are shown of cycles that only try again what a service failed in.
///
/// Such a cycle comes every few seconds, for hours if need be. That the service still fails is told in
/// one line of its own; a cycle that came to nothing else is left out as a whole, from its first line
/// to its last, so that problem matchers see it or don't.
struct QuietRetries: Sendable {
  /// What is held back of the cycle under way; `nil`: nothing is.
  private var held: [Event]?

  /// To be given every event, in order.
  ///
  /// - Returns: Those to be shown now.
  mutating func shown(_ event: Event) -> [Event] {
    if case .batch(let batch) = event.kind {
      let before = held ?? []
      guard batch.cause == "retry" else {
        held = nil
        return before + [event]
      }
      held = [event]
      return before
    }
    guard let events = held else { return [event] }
    switch event.kind {
    case .degraded: return [event]
    case .activity: return []
    case .build, .index, .lock, .progress:
      held = events + [event]
      return []
    case .image(let image) where image.status == .cancelled:
      held = events + [event]
      return []
    case .cycle(let ended) where ended.status == .failed && ended.ok == 0:
      held = nil
      return []
    default:
      held = nil
      return events + [event]
    }
  }
}
