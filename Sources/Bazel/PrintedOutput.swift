import Basics
import Graph
import Processes

/// Reads what Bazel prints a second time, for its own sake: which lines are kept, and what actions printed that
/// did not fail. Pure.
///
/// Bazel shows the warnings of such an action behind a line `INFO: From Compiling a.c:`.
struct PrintedOutput {
  enum Part: Hashable {
    /// Lines worth keeping.
    case lines(String)
    case output(ActionOutput)
  }

  private var lines = Lines()
  private var title: String?
  private var text: [String] = []

  mutating func add(_ bytes: [UInt8]) -> [Part] {
    Self.joined(lines.add(bytes).flatMap { add(Lines.text($0)) })
  }

  mutating func finish() -> [Part] {
    let rest = lines.finish().map { add(Lines.text($0)) } ?? []
    return Self.joined(rest + end())
  }

  /// Lines that follow one another are handed on as one: each may be written to disk at once.
  private static func joined(_ parts: [Part]) -> [Part] {
    parts.reduce(into: []) { joined, part in
      if case .lines(let next) = part, case .lines(let text)? = joined.last {
        joined[joined.endIndex - 1] = .lines(text + "\n" + next)
      } else {
        joined.append(part)
      }
    }
  }

  private mutating func add(_ line: String) -> [Part] {
    guard Self.isKept(line) else { return Self.isBazels(line) ? end() : [] }
    let line = Redaction.text(line)
    var parts: [Part] = Self.isBazels(line) ? end() : []
    if line.hasPrefix("INFO: From "), line.hasSuffix(":") {
      title = String(line.dropFirst("INFO: From ".count).dropLast())
    } else if title != nil {
      text.append(line)
    }
    parts.append(.lines(line))
    return parts
  }

  private mutating func end() -> [Part] {
    defer { (title, text) = (nil, []) }
    guard let title, !text.isEmpty else { return [] }
    return [
      .output(
        ActionOutput(
          target: Self.target(in: title), title: title, text: text.joined(separator: "\n"),
          isFailure: false))
    ]
  }

  /// Tells whether a line is none of those that tell of progress, of the lock, or of the sandbox.
  private static func isKept(_ line: String) -> Bool {
    switch BazelLine(line) {
    case .noise, .lock: false
    // Compilers, too, begin lines with a bracket.
    case .progress: line.hasPrefix("[") && BazelProgress(line) == nil
    default: true
    }
  }

  private static func isBazels(_ line: String) -> Bool {
    ["INFO: ", "ERROR: ", "WARNING: ", "DEBUG: ", "FAILED: ", "Target //", "Use --"]
      .contains(where: line.hasPrefix)
  }

  private static func target(in title: String) -> Label? {
    title.split(separator: " ").lazy.compactMap { $0.contains("//") ? Label(String($0)) : nil }
      .first
  }
}

extension BuildUpdate {
  init(_ part: PrintedOutput.Part) {
    switch part {
    case .lines(let lines): self = .printed(lines)
    case .output(let output): self = .output(output)
    }
  }
}
