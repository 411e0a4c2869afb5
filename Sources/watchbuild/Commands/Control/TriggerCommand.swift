import ArgumentParser
import Basics
import Batching
import Session

/// `watchbuild trigger`: build now.
struct TriggerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trigger",
    abstract: "Build now what is owed, and the images named.",
    discussion: """
      Closes the batch window at once. It also builds while builds are held: after 'watchbuild pause', and where \
      dev was started with --trigger manual.
      """)

  @Argument(
    help: ArgumentHelp("Images to build although nothing changed.", valueName: "image"),
    completion: .imageNames)
  var images: [String] = []

  @Flag(help: "Wait for the verdict, and end with its exit code.")
  var wait = false

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp(
      "With --wait, how far: built, loaded or live. (default: live)", valueName: "stage"))
  var stage: Stage?

  @OptionGroup var waiting: WaitingOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if !wait, waiting.timeout != nil || stage != nil {
      throw ValidationError("--timeout and --for go with --wait; add it or leave them out")
    }
  }

  private struct Body: Encodable {
    var images: [String]
    var wait: Bool
    var `for`: String?
    var timeoutMs: Int?
  }

  func run() async throws {
    let connection = try ControlConnection(try Invocation(common))
    let body = Body(
      images: images, wait: wait, for: stage?.rawValue, timeoutMs: waiting.timeoutMs)
    guard wait else {
      let answer = try connection.ask("POST", "/v1/trigger", body)
      if waiting.json { try OutputStream.standardOutput.write(json: answer) }
      return
    }
    let answer = try connection.ask("POST", "/v1/trigger", body, patience: waiting.patience)
    try VerdictAnswer.tell(answer, asJSON: waiting.json, isQuiet: common.quiet)
  }
}
