/// One step of an image's way from the build to where it runs.
package struct DeliveryStep: Hashable, Sendable, CustomStringConvertible {
  package enum Kind: String, Hashable, Sendable { case load, rollout }

  package var kind: Kind
  /// The runtime that is loaded into, as `--load` names it, or what the rollout reaches.
  package var target: String

  package static func load(into runtime: String) -> DeliveryStep {
    DeliveryStep(kind: .load, target: runtime)
  }

  package static func rollout(of target: String) -> DeliveryStep {
    DeliveryStep(kind: .rollout, target: target)
  }

  package var description: String { "\(kind.rawValue) \(target)" }
}
