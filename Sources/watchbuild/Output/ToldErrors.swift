import Events

/// Why images failed in this cycle: a runtime that is down is explained once, not for every image.
///
/// For people at a terminal; programs that read plain lines find the reason in each.
struct ToldErrors: Sendable {
  private var told: Set<String> = []

  /// The event as it is to be shown to people; to be given every one, in order.
  mutating func shortened(_ event: Event) -> Event {
    switch event.kind {
    case .cycle: told = []
    case .image(var image):
      guard image.status == .failed, let error = image.error, !told.insert(error).inserted else {
        break
      }
      image.error = "the same reason"
      var event = event
      event.kind = .image(image)
      return event
    default: break
    }
    return event
  }
}
