extension Event {
  /// A hook of the configuration has ended.
  package struct HookRan: EventFields {
    package static let type = "hook"

    package enum Stage: String, Sendable, Encodable {
      case beforeBuild, afterLoad, onFailure
    }

    /// When it is run.
    package var stage: Stage
    /// The argument vector.
    package var command: [String]
    /// 128 + N where signal N ended it.
    package var exitCode: Int
    /// How long it took.
    package var ms: Int

    package init(stage: Stage, command: [String], exitCode: Int, ms: Int) {
      self.stage = stage
      self.command = command
      self.exitCode = exitCode
      self.ms = ms
    }
  }
}
