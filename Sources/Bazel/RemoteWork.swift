/// The part of a remote or disk cache, and of an executor, in a command.
///
/// Times are those during which at least one action was at it, in whole milliseconds: actions run side
/// by side, and most of it lies within the execution.
package struct RemoteWork: Hashable, Sendable, Codable {
  /// Asking a cache whether it has an action's outputs.
  package var checkMs = 0
  /// Waiting for an executor.
  package var executionMs = 0
  package var downloadMs = 0
  package var uploadMs = 0
  /// Counts of the actions that ran or were found in a cache, and of those found.
  package var actions = ActionCounts()

  package init() {}

  package static func + (left: Self, right: Self) -> Self {
    var sum = left
    sum.checkMs += right.checkMs
    sum.executionMs += right.executionMs
    sum.downloadMs += right.downloadMs
    sum.uploadMs += right.uploadMs
    sum.actions = left.actions + right.actions
    return sum
  }
}

/// Stretches of time that may overlap: how long they last together.
struct BusyTime {
  private var stretches: [(start: Double, end: Double)] = []

  mutating func add(from start: Double, lasting duration: Double) {
    stretches.append((start, start + duration))
  }

  var total: Double {
    var total = 0.0
    var end = -Double.infinity
    for stretch in stretches.sorted(by: { $0.start < $1.start }) where stretch.end > end {
      total += stretch.end - max(stretch.start, end)
      end = stretch.end
    }
    return total
  }
}
