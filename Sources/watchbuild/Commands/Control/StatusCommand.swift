import ArgumentParser
import Basics
import FoundationEssentials
import Session

/// `watchbuild status`: how the running `dev` is.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Tell what the running dev does, what is owed and why, and what failed.")

  @Flag(help: "Write one JSON object.")
  var json = false

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let answer = try ControlConnection(try Invocation(common)).ask("GET", "/v1/status")
    guard !json else { return try OutputStream.standardOutput.write(json: answer) }
    let status = try JSONDecoder().decode(StatusAnswer.self, from: Data(answer))
    try OutputStream.standardOutput.write(lines: status.lines.map { Terminal.escaped($0) })
  }
}

/// The part of a status that people are shown.
struct StatusAnswer: Decodable {
  struct Owed: Decodable {
    var text: String
  }

  struct Image: Decodable {
    var name: String
    var owed: Owed?
  }

  struct Running: Decodable {
    var cycle: Int
    var images: [String]
  }

  struct Retry: Decodable {
    var what: String
    var runtime: String?
    var time: String?
  }

  var state: String
  var pid: Int32
  var workspace: String
  var paused: Bool
  var trigger: String
  var degraded: [String]
  var running: Running?
  var waitingChanges: Int
  var images: [Image]
  var retries: [Retry]

  var lines: [String] {
    let owed = images.filter { $0.owed != nil }
    let current = "\(images.count - owed.count) of \(Quantity.text(images.count, "image")) current"
    var lines = ["\(state): \(current) (pid \(pid), \(workspace))"]
    if paused, state != "paused" { lines.append("paused: builds are held") }
    if trigger == "manual" { lines.append("manual: 'watchbuild trigger' builds") }
    if let running {
      lines.append("cycle \(running.cycle): \(running.images.joined(separator: ", "))")
    }
    if waitingChanges > 0 { lines.append("\(Quantity.text(waitingChanges, "change")) waiting") }
    for image in owed { lines.append("\(image.name) is owed: \(image.owed?.text ?? "")") }
    for retry in retries {
      let what = retry.runtime.map { "\(retry.what) \($0)" } ?? retry.what
      lines.append("\(what) is tried again\(retry.time.map { " at \($0)" } ?? "")")
    }
    return lines + degraded.map { "degraded: \($0)" }
  }
}
