import ArgumentParser
import Basics
import Batching
import Session
import Settings
import SystemPackage

extension Stage: ExpressibleByArgument {}

/// The options of the commands that wait for a verdict.
struct WaitingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Give up after so long, with exit code 124.", valueName: "duration"),
    transform: SettingText.duration)
  var timeout: Duration?

  @Flag(help: "Write one JSON object: verdict, cycle, images, diagnostics.")
  var json = false

  /// As the control socket takes it.
  var timeoutMs: Int? { timeout.map { max($0.milliseconds, 0) } }

  /// The socket's own timeout comes first; this one is for a `dev` that hangs.
  var patience: Duration? { timeout.map { $0 + .seconds(5) } }
}

/// `watchbuild wait`: block until what is on disk now has become images.
struct WaitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wait",
    abstract: "Wait until what is on disk now has been built, loaded and rolled out.",
    discussion: """
      Never answers for an earlier state of the files: whatever was saved before the command began is in the \
      answer. Without --change it waits for everything that is owed.

      Exit codes: 0 it is there, or no image depends on it; 1 a build failed, 3 a load failed, 4 a rollout failed; \
      2 no such file; 5 no dev runs; 124 timeout.
      """)

  @Option(
    help: ArgumentHelp(
      "Only the images that this file or directory affects. Repeatable.", valueName: "path"),
    completion: .file())
  var change: [String] = []

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp(
      "How far: built, loaded or live. (default: live, which is loaded where nothing is rolled out)",
      valueName: "stage"))
  var stage: Stage = .live

  @OptionGroup var waiting: WaitingOptions
  @OptionGroup var common: CommonOptions

  private struct Body: Encodable {
    var paths: [String]?
    var `for`: String
    var timeoutMs: Int?
  }

  func run() async throws {
    let invocation = try Invocation(common)
    let connection = try ControlConnection(invocation)
    let paths = change.map { SourcePath.absolute($0, in: invocation.directory).string }
    let answer = try connection.ask(
      "POST", "/v1/wait",
      Body(
        paths: paths.isEmpty ? nil : paths, for: stage.rawValue, timeoutMs: waiting.timeoutMs),
      patience: waiting.patience)
    try VerdictAnswer.tell(answer, asJSON: waiting.json, isQuiet: common.quiet)
  }
}

/// Paths as people name them.
enum SourcePath {
  /// The path with the links on the way to it resolved. The last part stays: a symbolic link among the sources is a
  /// file of its own.
  static func absolute(_ text: String, in directory: FilePath) -> FilePath {
    let given = directory.pushing(FilePath(text)).lexicallyNormalized()
    guard let name = given.lastComponent else { return given }
    // A directory that is not there has no other real path; one above it may.
    var (parent, names) = (given.removingLastComponent(), [name])
    while true {
      if let real = try? Disk.realPath(parent) {
        return names.reversed().reduce(real) { $0.appending($1) }
      }
      guard let last = parent.lastComponent else { return given }
      names.append(last)
      parent.removeLastComponent()
    }
  }
}
