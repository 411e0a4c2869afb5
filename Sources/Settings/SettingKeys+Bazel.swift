import Basics
import SystemPackage

/// Settings of Bazel itself.
extension SettingKeys {
  /// A name to be looked up in `PATH`, or an absolute path.
  package var bazelCommand: SettingKey<String> {
    let kind = SettingKind<String>.text(
      schema: #""type": "string", "minLength": 1, "examples": ["bazel", "tools/bazel"]"#,
      printed: { $0 },
      parse: SettingText.program)
    return SettingKey(
      "bazelCommand", at: "bazel.command", option: "bazel", kind, default: "bazel",
      valueName: "path",
      help: "The Bazel or Bazelisk to run.", shownDefault: "$BAZEL, else bazel",
      description: "The Bazel or Bazelisk to run.",
      variables: ["WATCHBUILD_BAZEL", "BAZEL"].map { .init(name: $0, parse: kind.parse) })
  }

  /// The options before Bazel's command.
  package var startupOptions: SettingKey<[String]> {
    SettingKey(
      "startupOptions", at: "bazel.startupOptions", .bazelOptions, default: [],
      description: "They must equal the terminal's, or the server restarts.")
  }

  /// The configuration's, then those after `--`; the order is the user's.
  package var bazelOptions: SettingKey<[String]> {
    SettingKey(
      "bazelOptions", at: "bazel.options", .bazelOptions, default: [],
      description: "For every build alike.", applies: .nextCycle)
  }

  package var watchesInBazel: SettingKey<ServerWatchChoice> {
    SettingKey(
      "watchesInBazel", at: "bazel.watchfs", option: "watchfs", .choice, default: .auto,
      valueName: "when",
      help:
        "Whether Bazel's server watches a large workspace itself instead of looking at every file in each "
        + "build: auto, always or never.",
      description: "Whether Bazel's server watches a large workspace itself: --watchfs.")
  }
}

extension SettingKind<[String]> {
  fileprivate static var bazelOptions: SettingKind {
    list(schema: ##""$ref": "#/$defs/options""##, SettingText.bazelOption)
  }
}
