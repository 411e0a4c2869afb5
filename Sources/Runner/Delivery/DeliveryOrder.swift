/// Decides which steps of which deliveries may begin, and does nothing.
///
/// A delivery is a list of stages. The steps of a stage go side by side, and the next stage begins when all of
/// them have ended well. Where one has not, no later stage begins.
struct DeliveryOrder: Sendable {
  private struct Open: Sendable {
    var underway: Set<DeliveryStep>
    /// The stages after this one.
    var later: ArraySlice<[DeliveryStep]>
    var hasFailed = false
  }

  private var open: [Int: Open] = [:]
  private var count = 0

  /// Nothing is under way.
  var isEmpty: Bool { open.isEmpty }

  /// Takes in a delivery.
  ///
  /// - Parameter stages: Without empty ones.
  /// - Returns: The delivery's number, and the steps that may begin.
  mutating func begin(_ stages: [[DeliveryStep]]) -> (number: Int, steps: [DeliveryStep]) {
    count += 1
    guard let first = stages.first else { return (count, []) }
    open[count] = Open(underway: Set(first), later: stages.dropFirst())
    return (count, first)
  }

  /// A step has ended.
  ///
  /// - Returns: The steps of the same delivery that may begin now.
  mutating func ended(_ step: DeliveryStep, of number: Int, isDone: Bool) -> [DeliveryStep] {
    guard var delivery = open[number], delivery.underway.remove(step) != nil else { return [] }
    if !isDone { delivery.hasFailed = true }
    guard delivery.underway.isEmpty else {
      open[number] = delivery
      return []
    }
    guard !delivery.hasFailed, let next = delivery.later.popFirst() else {
      open[number] = nil
      return []
    }
    delivery.underway = Set(next)
    open[number] = delivery
    return next
  }
}
