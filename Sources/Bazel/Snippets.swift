/// The lines that a compiler wrote around each of its diagnostics: excerpt and caret, or a traceback. Pure.
struct Snippets {
  private struct Place {
    var first: Int
    /// The line that made the diagnostic complete.
    var last: Int
    var isNote: Bool
  }

  /// Lines of one snippet.
  private static let limit = 10
  /// Characters of one line: generated sources have long ones.
  private static let width = 300

  private let lines: [String]
  private var places: [Place] = []

  init(_ lines: [String]) { self.lines = lines }

  mutating func add(from first: Int, to last: Int, isNote: Bool) {
    places.append(Place(first: first, last: last, isNote: isNote))
  }

  mutating func removeLast() { places.removeLast() }

  /// A text for each diagnostic; `nil` where its one line says it all.
  var texts: [String?] {
    places.indices.map { index in
      let place = places[index]
      // Notes belong to what comes before them.
      let next = places[(index + 1)...].first { !$0.isNote || place.isNote }
      let end = max(place.last, (next?.first ?? lines.count) - 1)
      // The end of a long traceback tells more than its beginning.
      let first = max(place.first, place.last - Self.limit + 1)
      let shown = lines[first...min(end, first + Self.limit - 1)]
      guard shown.count > 1 else { return nil }
      return shown.map { $0.count > Self.width ? $0.prefix(Self.width) + "…" : $0 }
        .joined(separator: "\n")
    }
  }
}
