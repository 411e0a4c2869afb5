import Events
import Graph
import Images

/// Tells the results of rollouts.
extension CycleRecord {
  func rolling(_ image: ImageTarget, by rollout: any Rollout) {
    tell(image, .started, by: rollout)
  }

  func rolledOut(
    _ image: ImageTarget, _ rolled: RolledImage, _ result: RolloutResult, by rollout: any Rollout,
    ms: Int
  ) {
    done(.rollout(of: rollout.target), of: image)
    if result.isChanged { freshened(image) }
    tell(image, result.isChanged ? (result.isLive ? .live : .done) : .unchanged, by: rollout) {
      $0.ms = ms
      $0.files = result.files
    }
    guard result.isLive else { return }
    tell(image, .live) {
      $0.ref = rolled.reference.description
      $0.id = rolled.id.description
      $0.step = DeliveryStep.Kind.rollout.rawValue
      $0.ms = ms
    }
  }

  func failedRollout(
    _ image: ImageTarget, _ error: any Error, by rollout: any Rollout, ms: Int
  ) {
    let isOfImage = (error as? RolloutError)?.isOfImage ?? false
    failed(.rollout(of: rollout.target), of: image, isRetried: !isOfImage)
    let text = "\(rollout.target): \(error)"
    tell(image, .failed, by: rollout) {
      $0.ms = ms
      $0.error = text
    }
    tell(image, .failed) {
      $0.error = text
      $0.step = DeliveryStep.Kind.rollout.rawValue
    }
  }

  /// The image is owed still.
  func cancelledRollout(
    _ image: ImageTarget, by rollout: any Rollout, because reason: String
  ) {
    tell(image, .cancelled, by: rollout) { $0.error = reason }
    cancelled(image, because: reason)
  }

  private func tell(
    _ image: ImageTarget, _ status: Event.RolledOut.Status, by rollout: any Rollout,
    _ fill: (inout Event.RolledOut) -> Void = { _ in }
  ) {
    var event = Event.RolledOut(
      image: image.name, kind: rollout.kind,
      target: String(rollout.target.dropFirst(rollout.kind.count + 1)), status: status)
    fill(&event)
    record(.rollout(event))
  }
}
