import Basics
package import Batching

/// Settings of what is built together, and when.
extension SettingKeys {
  package var debounce: SettingKey<Duration> {
    SettingKey(
      "debounce", at: "batch.debounce", option: "debounce", .duration, default: .milliseconds(30),
      valueName: "duration", help: "Build when nothing has changed for so long.",
      description: "Build when nothing changed for so long.")
  }

  /// Never shorter than `debounce`.
  package var maxDelay: SettingKey<Duration> {
    SettingKey(
      "maxDelay", at: "batch.maxDelay", option: "max-delay", .duration, default: .milliseconds(500),
      valueName: "duration", help: "Build at the latest so long after the first change.",
      shownDefault: "500ms, or the debounce if that is longer",
      description: "And at the latest after so long.")
  }

  package var onBusyUpdate: SettingKey<BusyPolicy.Choice> {
    SettingKey(
      "onBusyUpdate", at: "batch.onBusyUpdate", option: "on-busy-update", .choice,
      default: .restart,
      valueName: "policy",
      help:
        "A change while a build runs: interrupt it if affected, wait for it, or let the change wait "
        + "for the next one.", description: "A change while a build runs.")
  }

  /// Images in one grouped build; 0: no limit.
  package var buildConcurrency: SettingKey<Int> {
    SettingKey(
      "buildConcurrency", at: "batch.buildConcurrency", option: "build-concurrency",
      .number(
        schema: #""minimum": 0, "maximum": 100000, "examples": [0, 5]"#,
        SettingText.buildConcurrency),
      default: 0, valueName: "n", help: "At most so many images in one grouped build; 0: no limit.",
      description: "At most so many images in one grouped build; 0: no limit.", applies: .nextCycle)
  }

  package var keepsGoing: SettingKey<Bool> {
    SettingKey(
      "keepsGoing", at: "batch.keepGoing", option: "keep-going", .boolean, default: true,
      help: "Go on with the other images when one fails.", shownDefault: "--keep-going",
      description: "One failing image does not stop the others.", applies: .nextCycle)
  }

  /// True if a build waits while another command holds Bazel's lock; its option says the contrary.
  package var waitsForLock: SettingKey<Bool> {
    SettingKey(
      "waitsForLock", .boolean, default: true,
      variables: [
        .init(name: EnvironmentNames.variable(for: "no-wait-for-lock")) {
          text, _ throws(InvalidValue) in
          try !SettingText.boolean(text)
        }
      ])
  }
}
