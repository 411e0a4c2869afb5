import Basics
import FoundationEssentials
import Runner

/// The runs whose profiles are kept, to choose one by its process number.
struct ProfileRuns {
  /// One of them, as JSON has it.
  struct Entry: Encodable {
    var run: String
    var cycles: Int
    /// When the first change of its latest cycle was seen.
    var latest: Date
  }

  /// The one that ended a cycle last comes first. Each has a cycle at least.
  var all: [ProfileStore.Run]

  var entries: [Entry] {
    all.compactMap { run in
      run.cycles.last.map { Entry(run: run.name, cycles: run.cycles.count, latest: $0.time) }
    }
  }

  /// - Parameter name: `nil`: the latest.
  /// - Throws: `Problem` when no run has the name.
  func run(named name: String?) throws(Problem) -> ProfileStore.Run {
    let found = name.map { name in all.first { $0.name == name } } ?? all.first
    guard let found else {
      let kept = all.map(\.name).joined(separator: ", ")
      throw Problem("there is no run \(name ?? "")", hint: "kept are \(kept)")
    }
    return found
  }

  /// Says which other runs there are; nothing where there is one alone.
  func lines(shown: ProfileStore.Run) -> [String] {
    guard all.count > 1 else { return [] }
    return ["runs:"]
      + entries.map { entry in
        let mark = entry.run == shown.name ? " (shown)" : ""
        let count = Quantity.text(entry.cycles, "cycle")
        return
          "  --run \(entry.run)  \(count), the latest of \(entry.latest.formatted(.iso8601))\(mark)"
      }
  }
}
