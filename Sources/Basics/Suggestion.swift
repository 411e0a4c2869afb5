/// Guesses what was meant by a word that is not known.
package enum Suggestion {
  /// ` (did you mean 'platform'?)`, or nothing when no word is near.
  package static func text(for word: String, among words: some Sequence<String>) -> String {
    nearest(to: word, among: words).map { " (did you mean '\($0)'?)" } ?? ""
  }

  /// The nearest word, if less than half of it would have to be retyped.
  static func nearest(to word: String, among words: some Sequence<String>) -> String? {
    // Longer ones are no slip of the finger, and the distance costs their product.
    guard word.utf8.count <= 64 else { return nil }
    let typed = word.lowercased()
    let ranked = words.map { (word: $0, distance: distance(typed, $0.lowercased())) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }),
      best.distance <= min(3, max(1, best.word.count / 3)) || best.word.lowercased() == typed
    else { return nil }
    return best.word
  }

  /// Edits between two words: insertion, deletion, replacement, or two neighbours swapped.
  ///
  /// Source: https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance (optimal string alignment)
  static func distance(_ left: String, _ right: String) -> Int {
    let left = Array(left)
    let right = Array(right)
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in 0..<left.count {
      var current = [row + 1]
      for column in 0..<right.count {
        let isSame = left[row] == right[column]
        var edits = min(
          last[column] + (isSame ? 0 : 1), last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          edits = min(edits, beforeLast[column - 1] + 1)
        }
        current.append(edits)
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}
