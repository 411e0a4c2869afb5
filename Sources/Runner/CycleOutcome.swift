package import Batching
package import Watcher

/// What a cycle came to.
package struct CycleOutcome: Sendable {
  /// Images that every runtime holds as the files gave them when the cycle began, or later.
  package var current: Set<String> = []
  package var failedBuilds: Set<String> = []
  /// Images that Bazel did not come to, because it failed itself.
  package var troubled: Set<String> = []
  /// Images that some runtimes did not take, and the names of those.
  package var failedLoads: [String: Set<String>] = [:]
  /// Images that wait for others, which they require.
  package var heldUp: Set<String> = []
  /// Images that are neither done nor failed.
  package var unfinished: Set<String> = []
  /// Files that turned out to have changed while nobody watched them.
  package var found: [FileChange] = []
  /// Indexes that were made anew.
  package var indexes: [TargetIndex] = []
  /// Another command held Bazel's lock and we were not to wait: who, and what to do.
  package var lockProblem: String?
  package var isInterrupted = false
  /// Bazel did not accept the options that it was given.
  package var isRefused = false

  package init() {}
}
