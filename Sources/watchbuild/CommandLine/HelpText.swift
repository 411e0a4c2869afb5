/// The help of a command, made from what the argument parser writes.
///
/// It folds the line of the usage, which the parser leaves as long as it is, and adds examples.
enum HelpText {
  private static let width = 80
  private static let usage = "USAGE: "

  /// - Parameter text: What the parser prints: help, or anything else, which stays as it is.
  static func complete(_ text: String) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let place = lines.firstIndex(where: { $0.hasPrefix("\(usage)watchbuild") }),
      lines.contains("OPTIONS:")
    else { return text }
    let examples = HelpExamples.lines[command(lines[place])] ?? []
    lines.replaceSubrange(place...place, with: folded(lines[place]))
    if !examples.isEmpty {
      while lines.last?.isEmpty == true { lines.removeLast() }
      lines += ["", "EXAMPLES:"] + examples.map { "  \($0)" }
    }
    return lines.joined(separator: "\n")
  }

  /// The words between the program's name and its arguments: `config print`.
  private static func command(_ line: String) -> String {
    line.dropFirst(usage.count).split(separator: " ").dropFirst()
      .prefix { $0.allSatisfy { $0.isLetter || $0 == "-" } }
      .joined(separator: " ")
  }

  /// The line's arguments on as many lines as they need, each argument whole.
  private static func folded(_ line: String) -> [String] {
    var lines: [String] = []
    for argument in arguments(line) {
      if let last = lines.last, last.count + 1 + argument.count <= width {
        lines[lines.count - 1] = "\(last) \(argument)"
      } else {
        lines.append(lines.isEmpty ? argument : "         \(argument)")
      }
    }
    return lines
  }

  /// The words of a line; what stands in brackets is one.
  private static func arguments(_ line: String) -> [String] {
    var arguments: [String] = []
    var depth = 0
    for word in line.split(separator: " ") {
      if depth > 0 {
        arguments[arguments.count - 1] += " \(word)"
      } else {
        arguments.append(String(word))
      }
      depth += word.count { $0 == "[" } - word.count { $0 == "]" }
    }
    return arguments
  }
}
