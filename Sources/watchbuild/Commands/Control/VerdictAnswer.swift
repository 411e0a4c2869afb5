import Basics
import FoundationEssentials

/// The verdict of a `dev`, as a command reads it.
struct VerdictAnswer: Decodable {
  struct Image: Decodable {
    var image: String
    var status: String
    var runtime: String?
    var step: String?
    var ref: String?
    var error: String?
    var heldUpBy: String?
  }

  struct Diagnostic: Decodable {
    var image: String?
    var file: String
    var line: Int
    var column: Int?
    var severity: String
    var message: String
  }

  var verdict: String
  var cycle: Int?
  var images: [Image]
  var diagnostics: [Diagnostic]

  init(_ bytes: [UInt8]) throws {
    self = try JSONDecoder().decode(VerdictAnswer.self, from: Data(bytes))
  }

  /// How a command that was told this ends.
  var status: ExitStatus {
    switch verdict {
    case "ok", "unaffected": .ok
    case "timeout": .timedOut
    case "stopping": .otherDev
    default: failure
    }
  }

  private var failure: ExitStatus {
    let failed = images.filter { $0.status == "failed" }
    if failed.contains(where: { $0.runtime == nil && $0.step != "rollout" }) { return .buildFailed }
    if failed.contains(where: { $0.step == "rollout" }) { return .rolloutFailed }
    return failed.isEmpty ? .buildFailed : .loadFailed
  }

  /// What is told to people: a line for each image, and the verdict last.
  var lines: [String] {
    let shown = images.map { image in
      let place = image.runtime.map { " → \($0)" } ?? ""
      let error =
        image.error.map { ": " + ($0.split(whereSeparator: \.isNewline).first ?? "") } ?? ""
      return "\(image.image) \(image.status)\(place)\(image.status == "failed" ? error : "")"
    }
    let number = cycle.map { " (cycle \($0))" } ?? ""
    let text =
      switch verdict {
      case "unaffected": "unaffected: no image depends on it"
      case "timeout": "timeout: not yet"
      case "stopping": "stopping: the dev ends"
      default: verdict + number
      }
    return (shown + [text]).map { Terminal.escaped($0) }
  }

  /// The mistakes, in the form that editors match.
  var mistakes: [String] {
    diagnostics.map { diagnostic in
      let column = diagnostic.column.map { ":\($0)" } ?? ""
      let image = diagnostic.image.map { " [\($0)]" } ?? ""
      let message = diagnostic.message.split(whereSeparator: \.isNewline).first ?? ""
      return Terminal.escaped(
        "\(diagnostic.file):\(diagnostic.line)\(column): \(diagnostic.severity): \(message)\(image)"
      )
    }
  }

  /// Tells it, and ends the command with its exit code.
  static func tell(_ bytes: [UInt8], asJSON: Bool, isQuiet: Bool) throws {
    let answer = try VerdictAnswer(bytes)
    if asJSON {
      try OutputStream.standardOutput.write(json: bytes)
    } else {
      try OutputStream.standardError.write(lines: answer.mistakes)
      let lines = isQuiet ? [] : answer.lines
      try OutputStream.standardOutput.write(lines: lines)
    }
    if answer.status != .ok { throw answer.status }
  }
}
