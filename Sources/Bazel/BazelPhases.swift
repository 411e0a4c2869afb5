/// The time that Bazel spent in each phase of its commands, in whole milliseconds.
///
/// Where Bazel analyses and executes at once (Skymeld, the default since Bazel 7), all of that is
/// execution.
package struct BazelPhases: Hashable, Sendable, Codable {
  /// From the client's start to the server's taking the command on, without waiting for the lock.
  package var launchMs = 0
  /// Most of it: finding out which files have changed.
  package var initMs = 0
  package var patternsMs = 0
  /// Loading and analysis.
  package var analysisMs = 0
  package var preparationMs = 0
  package var executionMs = 0
  package var finishMs = 0
  /// The longest chain of actions, most of which lies within the execution.
  package var criticalPathMs = 0
  /// The part of a remote or disk cache, or of an executor; `nil` where there is none.
  package var remote: RemoteWork?

  package init() {}

  /// All phases; the critical path is part of them.
  package var totalMs: Int {
    launchMs + initMs + patternsMs + analysisMs + preparationMs + executionMs + finishMs
  }

  /// Where actions ran, which the profile itself does not tell.
  package mutating func add(_ actions: ActionCounts) {
    guard actions.hits > 0 || remote != nil else { return }
    remote = remote ?? RemoteWork()
    remote?.actions = actions
  }

  /// Two commands, one after the other.
  package static func + (left: Self, right: Self) -> Self {
    var sum = left
    sum.launchMs += right.launchMs
    sum.initMs += right.initMs
    sum.patternsMs += right.patternsMs
    sum.analysisMs += right.analysisMs
    sum.preparationMs += right.preparationMs
    sum.executionMs += right.executionMs
    sum.finishMs += right.finishMs
    sum.criticalPathMs += right.criticalPathMs
    if let work = right.remote { sum.remote = (sum.remote ?? RemoteWork()) + work }
    return sum
  }
}
