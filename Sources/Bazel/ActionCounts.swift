/// Counts of a build's actions, by where they ran.
package struct ActionCounts: Hashable, Sendable, Codable {
  /// That ran a program or were spared it by a cache; Bazel's own, such as writing a file, are not
  /// among them.
  package var programs = 0
  /// Whose outputs a remote or disk cache had.
  package var hits = 0

  package init() {}

  /// - Parameter runners: Names and counts as Bazel tells them, in `buildMetrics` or on standard error.
  init(_ runners: [(name: String, count: Int)]) {
    // What Bazel's own action cache knows was not even asked for elsewhere.
    let others: Set = ["total", "internal", "action cache hit"]
    for (name, count) in runners where !others.contains(name) {
      programs += count
      if name.hasSuffix("cache hit") { hits += count }
    }
  }

  /// `INFO: 4 processes: 3 remote cache hit, 1 internal.`
  init?(line: String) {
    let words = line.split(separator: " ", maxSplits: 3)
    guard words.count == 4, words[0] == "INFO:", words[2] == "processes:" || words[2] == "process:"
    else { return nil }
    let parts = words[3].trimming { $0 == "." || $0 == " " }.split(separator: ",")
    self.init(
      parts.compactMap { part in
        let words = part.trimmingSpaces.split(separator: " ", maxSplits: 1)
        guard words.count == 2, let count = Int(words[0]) else { return nil }
        return (String(words[1]), count)
      })
  }

  package static func + (left: Self, right: Self) -> Self {
    var sum = left
    sum.programs += right.programs
    sum.hits += right.hits
    return sum
  }
}
