import ArgumentParser
import Basics
import FoundationEssentials
import Settings
import SystemPackage

struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Checks watchbuild.yaml, or shows the settings in force or its schema.",
    subcommands: [
      ConfigValidateCommand.self, ConfigPrintCommand.self, ConfigSchemaCommand.self,
    ])
}

struct ConfigValidateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Says of every mistake in watchbuild.yaml where it stands.")

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let settings = try Settings.resolve(common: common)
    let name = settings.configurationFile?.displayName
    let text =
      name.map { "\($0): ok (\(ConfigurationSummary.text(settings.entries)))" }
      ?? "no \(ConfigurationFile.name) in \(settings.workspace); images are found by query"
    if !common.quiet {
      try OutputStream.standardOutput.write(lines: [Terminal.escaped(text)])
    }
  }
}

struct ConfigPrintCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "print",
    abstract: "Shows the settings in force: environment, file and defaults merged.",
    discussion: "The output can be used as watchbuild.yaml.")

  @OptionGroup var common: CommonOptions

  @Flag(help: "JSON instead of YAML.")
  var json = false

  @Flag(help: "One setting a line, and where it comes from.")
  var origin = false

  func run() async throws {
    let settings = try Settings.resolve(common: common)
    guard !origin else {
      let origins = try SettingOrigins(
        of: settings, environment: ProcessInfo.processInfo.environment)
      return try OutputStream.standardOutput.write(
        Array((json ? origins.json() : origins.text()).utf8))
    }
    let printed = PrintedSettings(settings)
    try OutputStream.standardOutput.write(Array((json ? printed.json() : printed.yaml()).utf8))
  }
}

struct ConfigSchemaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Prints the JSON Schema of watchbuild.yaml, for editors.",
    discussion: """
      Written to a file, an editor finds it by a first line in watchbuild.yaml: \
      # yaml-language-server: $schema=watchbuild.schema.json
      """)

  @OptionGroup var common: CommonOptions

  func run() async throws {
    try OutputStream.standardOutput.write(Array(ConfigurationSchema.text.utf8))
  }
}

extension Settings {
  /// The settings of a command that does not build, from this process's own surroundings.
  static func resolve(common: CommonOptions) throws -> Settings {
    try resolve(
      GivenOptions(common: common), environment: ProcessInfo.processInfo.environment,
      currentDirectory: try Disk.currentDirectory)
  }
}
