import Basics
import Batching
import Graph
import SystemPackage

/// The rule of rollouts, as `watchbuild.yaml` would say it.
struct PrintedRule: Encodable {
  private var verify: String
  private var timeout: String

  init(_ rule: RolloutRule) {
    verify = rule.verification.rawValue
    timeout = DurationText.text(rule.timeout)
  }
}

/// An image's rollout, as `watchbuild.yaml` would say it.
struct PrintedRollout: Encodable {
  private var signal: String?
  private var pidFile: String?
  private var command: [String]?
  private var compose: String?
  private var file: String?
  private var project: String?
  private var kubernetes: String?
  private var container: String?
  private var namespace: String?
  private var context: String?
  private var sync: Bool?
  private var then: Notice?

  private struct Notice: Encodable {
    var signal: String?
    var command: [String]?
  }

  init(_ target: RolloutTarget) {
    var target = target
    if case .synced(let restarted, let notice) = target {
      target = restarted
      sync = true
      switch notice {
      case .signal(let name): then = Notice(signal: name.description)
      case .command(let arguments): then = Notice(command: arguments)
      case nil: break
      }
    }
    switch target {
    case .synced: break
    case .signal(let name, let path):
      signal = name.description
      pidFile = path.string
    case .command(let arguments): command = arguments
    case .container(let name): container = name
    case .compose(let service, let files, let project):
      compose = service
      file = files.first?.string
      self.project = project
    case .kubernetes(let resource, let container, let namespace, let context):
      kubernetes = resource
      self.container = container
      self.namespace = namespace
      self.context = context
    }
  }
}

/// The hooks, as `watchbuild.yaml` would say them.
struct PrintedHooks: Encodable {
  private struct Printed: Encodable {
    var run: [String]
    var images: [String]?
    var timeout: String
  }

  private var beforeBuild: [Printed]?
  private var afterLoad: [Printed]?
  private var onFailure: [Printed]?

  /// - Returns: `nil` where there are none.
  init?(_ hooks: Hooks) {
    func printed(_ stage: Hook.Stage) -> [Printed]? {
      let all = hooks[stage].map {
        Printed(
          run: $0.arguments, images: $0.images.isEmpty ? nil : $0.images.sorted(),
          timeout: DurationText.text($0.timeout))
      }
      return all.isEmpty ? nil : all
    }
    guard hooks.byStage.values.contains(where: { !$0.isEmpty }) else { return nil }
    beforeBuild = printed(.beforeBuild)
    afterLoad = printed(.afterLoad)
    onFailure = printed(.onFailure)
  }
}
