import ArgumentParser
import Runtimes
import Settings

/// The options of the commands that build: `dev` and `build`.
///
/// All are optional here, so that environment and file can say what no option says.
struct LoopOptions: ParsableArguments {
  // One list for both: the parser can't tell two apart. Only what follows a `--` can begin with a
  // dash, and no name or label does.
  @Argument(
    help: ArgumentHelp(
      "Images by their configured name, labels whose output is an image, or patterns such as "
        + "//services/... (default: all); after --, options for every bazel build.",
      valueName: "image|label|pattern"),
    completion: .imageNames)
  private var arguments: [String] = []

  @Option(setting: \.buildConcurrency)
  var buildConcurrency: Int?

  @Option(
    name: .customLong("load"),
    help: ArgumentHelp(setting: \.loadTargets), completion: .list(RuntimeChoice.words))
  var load: [String] = []

  @Option(setting: \.loadJobs)
  var loadJobs: Int?

  @Flag(inversion: .prefixedNo, help: ArgumentHelp(setting: \.keepsGoing))
  var keepGoing: Bool?

  @Option(setting: \.output)
  var output: OutputMode?

  @Option(
    help: ArgumentHelp(
      "Write JSON Lines to a file (or fd:N) beside people's lines.", valueName: "file"),
    completion: .file())
  var events: String?

  @Flag(help: "Exit with 9 if another command holds Bazel's lock.")
  var noWaitForLock = false

  @OptionGroup var program: BazelOptions

  /// Names and labels; empty: all.
  var images: [String] { Array(arguments.prefix { !$0.hasPrefix("-") }) }

  /// The words behind `--`.
  var bazelOptions: [String] { Array(arguments.drop { !$0.hasPrefix("-") }) }

  func validate() throws {
    for option in bazelOptions {
      do {
        _ = try SettingText.bazelOption(option)
      } catch {
        throw ValidationError("after '--': \(error)")
      }
    }
  }

  var layer: SettingsLayer {
    var layer = SettingsLayer()
    layer.buildConcurrency = buildConcurrency
    layer.keepsGoing = keepGoing
    layer.loadJobs = loadJobs
    layer.output = output
    layer.waitsForLock = noWaitForLock ? false : nil
    return layer
  }
}
