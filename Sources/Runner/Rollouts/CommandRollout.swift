import Basics
import Graph
import Images
import Processes
import SystemPackage

/// Runs a program of the user's, which does whatever brings the image to where it runs.
struct CommandRollout: Rollout {
  /// So many lines of what it said are told when it fails.
  private static let toldLines = 20

  let kind = "command"
  /// `{image}`, `{ref}`, `{id}` and `{digest}` in it are replaced.
  let arguments: [String]
  let directory: FilePath
  let rule: RolloutRule
  let notes: RolloutNotes?
  let runner: any CommandRunner
  let clock: any Clock<Duration>

  var target: String { "command \(arguments.joined(separator: " "))" }
  var lane: String { target }

  func roll(_ image: RolledImage) async throws -> RolloutResult {
    let isLive = rule.verification == .live
    if await notes?.isCurrent(image, at: target) == true {
      return RolloutResult(isChanged: false, isLive: isLive)
    }
    let words = RolloutWords(image)
    let filled = arguments.map(words.filled)
    let command = Command(
      filled.first ?? "", Array(filled.dropFirst()), in: directory, environment: words.environment)
    let ended: TimedCommand.Ended
    do {
      ended = try await TimedCommand(runner, clock: clock).run(command, within: rule.timeout)
    } catch let error as CommandError {
      throw RolloutError("\(error)")
    }
    if let problem = ended.problem(timeout: rule.timeout) {
      throw RolloutError("it failed: \(problem)", log: ended.lines.suffix(Self.toldLines))
    }
    // What is not noted is done once more by the next run.
    try? await notes?.note(image, at: target)
    return RolloutResult(isChanged: true, isLive: isLive)
  }
}

/// The variables that tell a program of an image.
struct RolloutWords: Sendable {
  private let words: [String: String]

  init(_ image: RolledImage) {
    words = [
      "image": image.name, "ref": image.reference.description, "id": image.id.description,
      "digest": (image.manifestDigest ?? image.configDigest).description,
    ]
  }

  /// `WATCHBUILD_IMAGE` and so on.
  var environment: [String: String] {
    Dictionary(
      uniqueKeysWithValues: words.map { ("WATCHBUILD_\($0.key.uppercased())", $0.value) })
  }

  /// An argument with each `{word}` replaced, once: what a value holds is not looked at again.
  func filled(_ argument: String) -> String {
    var result = ""
    var rest = argument[...]
    while let start = rest.firstIndex(of: "{") {
      result += rest[..<start]
      rest = rest[start...]
      guard let end = rest.firstIndex(of: "}"),
        let value = words[String(rest[rest.index(after: start)..<end])]
      else {
        result += "{"
        rest = rest.dropFirst()
        continue
      }
      result += value
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }
}
