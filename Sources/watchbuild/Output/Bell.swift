import Events
import Settings

/// When a terminal rings: a value that follows the ends of cycles.
struct Bell: Sendable {
  static let sound = "\u{07}"

  private let choice: BellChoice
  /// `nil`: no cycle has come to its end yet.
  private var isWell: Bool?

  init(_ choice: BellChoice) { self.choice = choice }

  /// To be given every event that is shown, in order.
  ///
  /// - Returns: Whether to ring now.
  mutating func rings(at event: Event) -> Bool {
    // An interrupted cycle is taken up again, and its end is the next one's.
    guard case .cycle(let cycle) = event.kind, cycle.status != .cancelled else { return false }
    let isWell = cycle.status == .ok && cycle.failed == 0 && cycle.heldUp == 0
    defer { self.isWell = isWell }
    return switch choice {
    case .never: false
    // All is taken to have been well before the first.
    case .change: isWell != (self.isWell ?? true)
    case .always: true
    }
  }
}
