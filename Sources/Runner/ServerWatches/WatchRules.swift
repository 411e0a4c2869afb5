/// When Bazel's server may watch a workspace instead of looking at every file in each build.
package struct WatchRules: Sendable {
  /// Every change of the workspaces is seen by us now: nothing is polled, and nothing is out of reach.
  package var isWhole: @Sendable () -> Bool
  /// From so many source files on: below, Bazel has looked at all of them in less time than anybody notices.
  package var leastFiles: Int

  package init(leastFiles: Int = 5_000, isWhole: @escaping @Sendable () -> Bool) {
    self.leastFiles = leastFiles
    self.isWhole = isWhole
  }
}
