import ArgumentParser
import Basics
import Session

/// `watchbuild events`: what has happened in the running `dev`, as JSON Lines.
struct EventsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events",
    abstract: "Write the events of the running dev as JSON Lines.",
    discussion: """
      The latest 10000 are kept. With --follow alone it begins now; with --since it goes on after that event, so \
      that a reader that comes back misses nothing that is kept.
      """)

  @Flag(help: "Go on with what happens from now on.")
  var follow = false

  @Option(help: ArgumentHelp("Begin after the event of this number.", valueName: "seq"))
  var since: Int?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if let since, since < 0 {
      throw ValidationError("--since is the number of an event; give 0 or more")
    }
  }

  func run() async throws {
    let connection = try ControlConnection(try Invocation(common))
    var query = [since.map { "since=\($0)" }, follow ? nil : "follow=0"].compactMap(\.self)
    if since == nil, !follow { query.append("since=0") }
    let path = "/v1/events" + (query.isEmpty ? "" : "?\(query.joined(separator: "&"))")
    try connection.stream(path) { try OutputStream.standardOutput.write(Array($0)) }
  }
}
