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

  @Option(
    help: ArgumentHelp(
      "At most so many images in one grouped build; 0: no limit. (default: 0)", valueName: "n"),
    transform: SettingText.buildConcurrency)
  var buildConcurrency: Int?

  @Option(
    name: .customLong("load"),
    help: ArgumentHelp(
      "Where images go: docker, podman, containerd[:NAMESPACE[@SOCKET]], kind[:CLUSTER], "
        + "k3d[:CLUSTER], minikube[:PROFILE], registry:HOST[/PREFIX], oci:DIR, none or auto. Repeatable. (default: auto)",
      valueName: "target"),
    completion: .list(RuntimeChoice.words))
  var load: [String] = []

  @Option(
    help: ArgumentHelp("Loads at once. (default: 4)", valueName: "n"),
    transform: SettingText.loadJobs)
  var loadJobs: Int?

  @Flag(
    inversion: .prefixedNo,
    help: "Go on with the other images when one fails. (default: --keep-going)")
  var keepGoing: Bool?

  @Option(
    help: ArgumentHelp(
      "json writes JSON Lines to stdout. (default: tty on a terminal, else plain)",
      valueName: "mode"))
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

  /// What follows `--`.
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
