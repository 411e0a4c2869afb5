import Graph
import Images
import Runtimes

/// One built image on its way to where it is to be.
struct Delivery: Sendable {
  /// The work of a step.
  enum Work: Sendable {
    case load(any ImageRuntime)
    case rollout(any Rollout)

    var step: DeliveryStep {
      switch self {
      case .load(let runtime): .load(into: runtime.name)
      case .rollout(let rollout): .rollout(of: rollout.target)
      }
    }

    /// Steps of one lane share its limit.
    var lane: String {
      switch self {
      case .load(let runtime): "load \(runtime.name)"
      case .rollout(let rollout): "rollout \(rollout.lane)"
      }
    }
  }

  var image: ImageTarget
  var archive: ImageArchive
  /// All names that the image is to have, of which there is at least one.
  var references: [ImageReference]
  /// Each stage begins when the one before has ended well. No two steps are the same.
  var stages: [[Work]]

  init(
    of image: ImageTarget, _ archive: ImageArchive, as references: [ImageReference],
    into runtimes: [any ImageRuntime], then rollout: (any Rollout)? = nil
  ) {
    self.image = image
    self.archive = archive
    self.references = references
    stages = [runtimes.map(Work.load), rollout.map { [.rollout($0)] } ?? []]
      .filter { !$0.isEmpty }
  }

  /// All of its steps.
  var steps: [DeliveryStep] { stages.joined().map(\.step) }

  func work(for step: DeliveryStep) -> Work? { stages.joined().first { $0.step == step } }
}
