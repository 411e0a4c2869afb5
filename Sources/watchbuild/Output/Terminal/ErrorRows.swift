import Basics
import Bazel
import Events

/// Errors as people read them: each cause once, wrapped below its own beginning, the place a link.
enum ErrorRows {
  static let indent = "         "
  /// So many causes are shown; the log has all.
  private static let limit = 10

  static func rows(
    for causes: [StandingErrors.Cause], columns: Int, workspace: String? = nil
  ) -> [StyledText] {
    var rows: [StyledText] = []
    for cause in causes.prefix(limit) {
      rows += text(
        cause.place, cause.text, .failure, columns, workspace.flatMap { link(cause, $0) })
      let target =
        cause.target.map { "in \($0)" }
        ?? cause.images.first.map { _ in
          Quantity.list(cause.images)
        }
      let more = cause.omitted > 0 ? "and \(cause.omitted) more · " : ""
      let log = cause.images.first.map { "output: key l, or `watchbuild logs \($0)`" }
      let last = [target, log.map { more + $0 }].compactMap(\.self).joined(separator: " · ")
      if !last.isEmpty {
        rows.append(StyledText(indent + last).cut(to: max(columns - 1, 20)))
      }
    }
    if causes.count > limit {
      rows.append(StyledText(indent + "and \(causes.count - limit) more errors: watchbuild logs"))
    }
    return rows
  }

  static func rows(for warning: Event.Diagnosed, columns: Int) -> [StyledText] {
    let column = warning.column.map { ":\($0)" } ?? ""
    let place = "\(warning.file):\(warning.line)\(column)"
    return text(place, "\(warning.severity.rawValue): \(warning.message)", .warning, columns, nil)
  }

  private static func text(
    _ place: String?, _ message: String, _ color: TextColor, _ columns: Int, _ link: String?
  ) -> [StyledText] {
    let room = columns - indent.count
    let lines = message.split(whereSeparator: \.isNewline).map { Terminal.escaped(String($0)) }
    var rows: [StyledText] = []
    for (number, line) in lines.enumerated() {
      let begin = number == 0 ? place.map { $0 + ": " } ?? "" : ""
      let wrapped = TextColumns.wrapped(
        line, first: room - TextColumns.count(begin), others: room)
      for (part, text) in wrapped.enumerated() {
        let lead = StyledText(indent)
        let place =
          part == 0 && !begin.isEmpty
          ? StyledText(String(begin.dropLast(2)), color, link: link) + StyledText(": ", color)
          : StyledText()
        rows.append(lead + place + StyledText(text, color))
      }
    }
    return rows
  }

  private static func link(_ cause: StandingErrors.Cause, _ workspace: String) -> String? {
    cause.file.map { file in
      let path = file.hasPrefix("/") ? file : workspace + "/" + file
      return "file://"
        + path.split(separator: "/", omittingEmptySubsequences: false).map {
          String($0).percentEncoded
        }
        .joined(separator: "/")
    }
  }
}
