import Basics
package import Runtimes

/// Settings of where images go, and which stay there.
extension SettingKeys {
  /// As `--load` takes them, directories absolute.
  package var loadTargets: SettingKey<[RuntimeChoice]> {
    SettingKey(
      "loadTargets", at: "load.to", option: "load", .loadTargets, default: [.auto],
      valueName: "target",
      help: "Where images go: \(RuntimeChoice.help). Repeatable.", description: "Where images go.")
  }

  package var loadJobs: SettingKey<Int> {
    SettingKey(
      "loadJobs", at: "load.jobs", option: "load-jobs",
      .number(schema: #""minimum": 1, "maximum": 256, "examples": [1, 4]"#, SettingText.loadJobs),
      default: 4, valueName: "n", help: "Loads at once.", applies: .nextCycle)
  }

  /// Superseded images of each name that stay.
  package var pruneKeep: SettingKey<Int> {
    SettingKey(
      "pruneKeep", at: "prune.keep",
      .number(
        schema: #""minimum": 0, "maximum": 10000, "examples": [0, 2]"#, SettingText.pruneKeep),
      default: PruneRule().keep, applies: .nextCycle)
  }

  /// An image stays until it has been superseded for so long.
  package var pruneOlderThan: SettingKey<Duration> {
    SettingKey(
      "pruneOlderThan", at: "prune.olderThan", .duration, default: PruneRule().olderThan,
      applies: .nextCycle)
  }
}

extension Settings {
  /// The rule for removing images that we loaded when they are superseded.
  package var prune: PruneRule {
    get { PruneRule(keep: self.pruneKeep, olderThan: self.pruneOlderThan) }
    set {
      self.pruneKeep = newValue.keep
      self.pruneOlderThan = newValue.olderThan
    }
  }
}
