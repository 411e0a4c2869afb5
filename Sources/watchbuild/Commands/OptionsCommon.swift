import ArgumentParser
import Settings

/// The options of every command.
struct CommonOptions: ParsableArguments {
  @Option(
    name: [.customShort("C"), .long],
    help: ArgumentHelp("Run as if started in this directory.", valueName: "dir"),
    completion: .directory)
  var directory: String?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "The configuration file. (default: watchbuild.yaml at the workspace root)",
      valueName: "file"),
    completion: .file(extensions: ["yaml"]))
  var file: String?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "A profile of the configuration file, merged over the rest of it.", valueName: "name"))
  var profileName: String?

  @Flag(name: [.short, .long], help: "Say only how each cycle ended, and what failed.")
  var quiet = false

  @Flag(
    name: [.short, .long],
    help: "Say more: commands, timings, what stayed unchanged; twice: what watchbuild itself does.")
  var verbose: Int

  @Option(setting: \.color)
  var color: ColorChoice?

  func validate() throws {
    if quiet, verbose > 0 {
      throw ValidationError("-q and -v exclude each other; give one of them")
    }
  }

  var layer: SettingsLayer {
    var layer = SettingsLayer()
    layer.color = color
    if quiet || verbose > 0 { layer.verbosity = verbose > 0 ? .verbose : .quiet }
    return layer
  }
}
