import Basics

/// Settings of how changes are seen.
extension SettingKeys {
  package var trigger: SettingKey<Trigger> {
    SettingKey(
      "trigger", at: "watch.trigger", option: "trigger", .choice, default: .notify,
      valueName: "how",
      help: "How changes are seen: notify or poll; manual builds only on 'watchbuild trigger'.",
      description: "How changes are seen.")
  }

  package var pollInterval: SettingKey<Duration> {
    SettingKey(
      "pollInterval", at: "watch.pollInterval", option: "poll-interval",
      .duration(SettingText.pollInterval),
      default: .seconds(1), valueName: "duration", help: "With poll: how often to look.",
      description: "With poll: how often to look.")
  }

  /// Glob patterns relative to the workspace, on top of the built-in rules.
  package var ignore: SettingKey<[String]> {
    SettingKey(
      "ignore", at: "watch.ignore",
      .list(
        schema: #""type": "array", "#
          + #""items": {"type": "string", "minLength": 1, "examples": ["docs/**", "*.md"]}"#,
        SettingText.pattern), default: [], description: "On top of .git, bazel-* and .bazelignore.")
  }

  /// True if nothing is built at start.
  package var isPostponed: SettingKey<Bool> {
    SettingKey("isPostponed", option: "postpone", .boolean, default: false)
  }
}
