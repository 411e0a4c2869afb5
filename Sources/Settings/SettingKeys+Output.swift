import Basics

/// Settings of what is shown. The file has none of them: they are the terminal's, not the workspace's.
extension SettingKeys {
  package var output: SettingKey<OutputMode> {
    SettingKey(
      "output", option: "output", .choice, default: .plain, valueName: "mode",
      help: "json writes JSON Lines to stdout.", shownDefault: "tty on a terminal, else plain")
  }

  /// Where JSON Lines go beside the output; `nil`: nowhere.
  package var events: SettingKey<EventsTarget?> {
    SettingKey(
      "events", option: "events",
      .unfiled({ text, base throws(InvalidValue) in try SettingText.events(text, relativeTo: base) }
      ) {
        $0.map { "\($0)" } ?? "nowhere"
      }, default: nil)
  }

  /// Where the dashboard is served; `nil`: nowhere.
  package var dashboard: SettingKey<DashboardAddress?> {
    SettingKey(
      "dashboard", option: "ui",
      .unfiled({ text, _ throws(InvalidValue) in try SettingText.dashboard(text) }) {
        $0?.text ?? "nowhere"
      }, default: nil, valueName: "address",
      help: "Serve a page that shows the run, to this machine alone: a port, or 127.0.0.1:PORT.",
      shownDefault: "off; without an address a free port")
  }

  package var bell: SettingKey<BellChoice> {
    SettingKey(
      "bell", option: "bell", .choice, default: .never, valueName: "when",
      help: "Ring when the state changes between all well and broken, or after each cycle.")
  }

  /// Whether the screen is cleared when a cycle begins.
  package var clears: SettingKey<Bool> {
    SettingKey("clears", option: "clear", .boolean, default: false)
  }

  package var color: SettingKey<ColorChoice> {
    SettingKey(
      "color", option: "color", .choice, default: .auto, valueName: "when",
      help: "Colour the output.")
  }

  /// The amount of words; two flags set it.
  package var verbosity: SettingKey<Verbosity> {
    func variable(_ option: String, _ verbosity: Verbosity) -> SettingKey<Verbosity>.Variable {
      .init(name: EnvironmentNames.variable(for: option)) { text, _ throws(InvalidValue) in
        try SettingText.boolean(text) ? verbosity : nil
      }
    }
    return SettingKey(
      "verbosity", .choice, default: .normal,
      variables: [variable("verbose", .verbose), variable("quiet", .quiet)])
  }
}
