import Basics
import Events

/// Puts together what many images of a cycle share, so that people read each cause once. Pure.
///
/// What became of images is shown when their cycle ends: those that are unchanged in one line for each
/// runtime, and those that failed of one cause in one line, errors last.
struct CycleLines: Sendable {
  private struct Cause: Hashable {
    var error: String?
    var runtime: String?
  }

  /// Events of images, in their order.
  private var unchanged: [Event] = []
  private var failed: [Event] = []

  /// To be given every event, in order.
  ///
  /// - Returns: What is to be shown now.
  mutating func shown(_ event: Event) -> [Event] {
    switch event.kind {
    case .image(let image) where image.status == .unchanged:
      unchanged.append(event)
      return []
    case .image(let image) where image.status == .failed:
      failed.append(event)
      return []
    case .cycle, .batch, .stopping:
      // A cycle without an end is one that a signal has cut short.
      defer { (unchanged, failed) = ([], []) }
      return Self.grouped(unchanged) + Self.grouped(failed) + [event]
    default: return [event]
    }
  }

  /// One event for each cause, which names all its images.
  private static func grouped(_ events: [Event]) -> [Event] {
    var order: [Cause] = []
    var groups: [Cause: (event: Event, images: [String])] = [:]
    for event in events {
      guard case .image(let image) = event.kind else { continue }
      let cause = Cause(error: image.error, runtime: image.runtime)
      if groups[cause] == nil { order.append(cause) }
      groups[cause, default: (event, [])].images.append(image.image)
    }
    return order.compactMap { cause in
      guard let group = groups[cause], case .image(var image) = group.event.kind else { return nil }
      var event = group.event
      image.image = Quantity.list(group.images.sorted())
      event.kind = .image(image)
      return event
    }
  }
}
