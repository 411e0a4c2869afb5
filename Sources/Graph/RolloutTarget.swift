package import SystemPackage

/// The way to restart what runs an image, as the configuration says it.
package indirect enum RolloutTarget: Hashable, Sendable {
  /// A signal to the process whose number stands in a file.
  case signal(SignalName, pidFile: FilePath)
  /// A program and its arguments; `{image}`, `{ref}`, `{id}` and `{digest}` in them are replaced.
  case command([String])
  /// A container of docker's or podman's, by its name.
  case container(String)
  case compose(service: String, files: [FilePath], project: String?)
  /// - resource: Such as `deployment/api`.
  /// - container: The one in its pods; `nil`: the one that has the image.
  case kubernetes(resource: String, container: String?, namespace: String?, context: String?)
  /// A container, a service or a workload into which files are written where they alone differ.
  /// - then: Tells its program of them.
  case synced(RolloutTarget, then: SyncNotice?)

  /// As the configuration calls it.
  package var kind: String {
    switch self {
    case .synced(let restarted, _): restarted.kind
    case .signal: "signal"
    case .command: "command"
    case .container: "container"
    case .compose: "compose"
    case .kubernetes: "kubernetes"
    }
  }

  /// True if the image is to be loaded under a name that no other content ever has.
  package var needsContentTag: Bool {
    switch self {
    case .kubernetes: true
    case .synced(let restarted, _): restarted.needsContentTag
    case .signal, .command, .container, .compose: false
    }
  }
}

/// How a program is told that its files are new.
package enum SyncNotice: Hashable, Sendable {
  /// To the container's own program.
  case signal(SignalName)
  /// As `RolloutTarget.command`.
  case command([String])
}

/// The point up to which a rollout is followed before its image counts as current.
package enum RolloutVerification: String, Hashable, Sendable, CaseIterable {
  /// The rollout's steps are done, and what comes of them is not waited for.
  case built, loaded
  /// All that runs the image is seen to run it, as healthy or for two seconds.
  case live
}

/// The rule for every rollout of a run.
package struct RolloutRule: Hashable, Sendable {
  package var verification: RolloutVerification
  /// So long an image may take to be live.
  package var timeout: Duration

  package init(verification: RolloutVerification = .live, timeout: Duration = .seconds(60)) {
    self.verification = verification
    self.timeout = timeout
  }
}
