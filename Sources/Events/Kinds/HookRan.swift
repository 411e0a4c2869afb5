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
    /// 128 + N where signal N ended it, 127 where it could not be started.
    package var exitCode: Int
    /// How long it took.
    package var ms: Int
    /// Why it failed, where the exit code does not tell.
    package var error: String?
    /// The last lines that one which failed printed.
    package var output: [String]?

    package init(stage: Stage, command: [String], exitCode: Int, ms: Int) {
      self.stage = stage
      self.command = command
      self.exitCode = exitCode
      self.ms = ms
    }
  }
}
