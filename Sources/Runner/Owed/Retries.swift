package import Basics

/// What failed of something that no save will mend, and when it is tried again: a lane for each reason, so that a
/// registry that is down for hours holds up no other.
package struct Retries: Hashable, Sendable {
  package enum Lane: Hashable, Sendable {
    /// Bazel, or what it stands on, failed.
    case bazel
    /// A runtime did not take an image.
    case runtime(String)
    /// What a rollout reaches does not run an image.
    case rollout(String)
    /// The configuration, or which images there are, could not be read.
    case reading
    /// The build writes files that it is made from.
    case selfWritten
  }

  private struct Debt: Hashable, Sendable {
    var images: Set<String> = []
    var backoff = Backoff()
    var isPlanned = false
  }

  private var lanes: [Lane: Debt] = [:]

  package init() {}

  package func images(of lane: Lane) -> Set<String> { lanes[lane]?.images ?? [] }

  /// The debts of each lane.
  package var images: [(lane: Lane, images: Set<String>)] {
    lanes.map { ($0.key, $0.value.images) }
  }

  package func contains(_ lane: Lane) -> Bool { lanes[lane] != nil }

  /// Replaces what a lane owes, and forgets the lane where that is nothing.
  package mutating func owe(_ images: Set<String>, in lane: Lane) {
    if images.isEmpty { lanes[lane] = nil } else { fail(lane, images: images) }
  }

  /// Remembers a failure that may be of no image.
  package mutating func fail(
    _ lane: Lane, images: Set<String> = [], backoff: Backoff = Backoff()
  ) {
    lanes[lane, default: Debt(backoff: backoff)].images = images
  }

  package mutating func forget(_ lane: Lane) { lanes[lane] = nil }

  /// The lanes of loads and rollouts.
  package var deliveryLanes: Set<Lane> {
    Set(
      lanes.keys.filter { lane in
        switch lane {
        case .runtime, .rollout: true
        case .bazel, .reading, .selfWritten: false
        }
      })
  }

  /// - Returns: The lanes that nobody waits for yet, each with how long to wait; they count as waited for now.
  package mutating func plan() -> [(lane: Lane, wait: Duration)] {
    var planned: [(Lane, Duration)] = []
    for lane in lanes.keys where lanes[lane]?.isPlanned == false {
      lanes[lane]?.isPlanned = true
      if let wait = lanes[lane]?.backoff.next() { planned.append((lane, wait)) }
    }
    return planned
  }

  /// The wait for a lane is over.
  ///
  /// - Returns: Whether it is still to be tried again.
  package mutating func due(_ lane: Lane) -> Bool {
    lanes[lane]?.isPlanned = false
    return lanes[lane] != nil
  }
}
