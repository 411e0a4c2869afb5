import Bazel
import Events
import Runner

/// Profiles as tables: a step in each line, a cycle in each column. Milliseconds.
enum ProfileTable {
  /// Steps that took no time in any of the cycles are left out where they are seldom met.
  private static let seldom: Set = ["rollout", "lock", "bazel"]

  static func lines(_ cycles: some Collection<CycleProfile>) -> [String] {
    var order: [String] = []
    var steps: [[String: Int]] = []
    for cycle in cycles {
      let own = cycle.steps
      // A build that Bazel left no profile of has one step in place of its phases.
      for name in own.map(\.name) where !order.contains(name) { order.append(name) }
      steps.append(Dictionary(own, uniquingKeysWith: +))
    }
    if let bazel = order.firstIndex(of: "bazel"), let load = order.firstIndex(of: "load"),
      bazel > load
    {
      order.insert(order.remove(at: bazel), at: load)
    }
    let shown = order.filter { name in
      !seldom.contains(name) || steps.contains { $0[name, default: 0] > 0 }
    }
    var rows = [["cycle"] + cycles.map { "\($0.cycle)" }]
    rows += shown.map { name in [name] + steps.map { step in step[name].map { "\($0)" } ?? "-" } }
    rows.append(["total"] + cycles.map { "\($0.timings.totalMs)" })
    rows.append(
      ["critical path"] + cycles.map { $0.phases.map { "\($0.criticalPathMs)" } ?? "-" })
    rows += remote(cycles)
    rows.append(["images"] + cycles.map { "\($0.ok + $0.failed)" })
    rows.append(["status"] + cycles.map(\.status.rawValue))
    return aligned(rows)
  }

  /// What caches and executors elsewhere had part in; no row where they had none.
  private static func remote(_ cycles: some Collection<CycleProfile>) -> [[String]] {
    let works = cycles.map { $0.phases?.remote }
    guard works.contains(where: { $0 != nil }) else { return [] }
    let times: [(String, KeyPath<RemoteWork, Int>)] = [
      ("cache check", \.checkMs), ("remote run", \.executionMs), ("download", \.downloadMs),
      ("upload", \.uploadMs),
    ]
    let hits = works.map { $0.map { "\($0.actions.hits)/\($0.actions.programs)" } ?? "-" }
    return [["hits"] + hits]
      + times.filter { _, part in works.contains { ($0?[keyPath: part] ?? 0) > 0 } }.map {
        name, part in
        [name] + works.map { $0.map { "\($0[keyPath: part])" } ?? "-" }
      }
  }

  static func lines(_ measured: ColdWarm.Measured) -> [String] {
    let (cold, warm) = (measured.cold, measured.warm)
    let phases: [(String, KeyPath<BazelPhases, Int>)] = [
      ("launch", \.launchMs), ("init", \.initMs), ("patterns", \.patternsMs),
      ("analysis", \.analysisMs), ("preparation", \.preparationMs), ("execution", \.executionMs),
      ("finish", \.finishMs), ("total", \.totalMs),
    ]
    return aligned(
      [["ms", "after shutdown", "warm", "ratio"]]
        + phases.map { name, path in
          let ratio =
            warm[keyPath: path] > 0 ? tenths(cold[keyPath: path], warm[keyPath: path]) : "-"
          return [name, "\(cold[keyPath: path])", "\(warm[keyPath: path])", ratio]
        })
  }

  private static func tenths(_ dividend: Int, _ divisor: Int) -> String {
    let tenths = (dividend * 10 + divisor / 2) / divisor
    return "\(tenths / 10).\(tenths % 10)"
  }

  /// The first column to the left, the others to the right.
  private static func aligned(_ rows: [[String]]) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      row.enumerated().map { column, text in
        let padding = String(repeating: " ", count: widths[column] - text.count)
        return column == 0 ? text + padding : padding + text
      }.joined(separator: "  ")
    }
  }
}
