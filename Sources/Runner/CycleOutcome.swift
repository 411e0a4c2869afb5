package import Batching

/// What a cycle came to.
package struct CycleOutcome: Sendable {
  /// Images that every runtime holds as the files gave them when the cycle began, or later.
  package var current: Set<String> = []
  package var failedBuilds: Set<String> = []
  /// Images that Bazel did not come to, because it failed itself.
  package var troubled: Set<String> = []
  package var failedLoads: Set<String> = []
  /// Indexes that were made anew.
  package var indexes: [TargetIndex] = []
  /// Another command held Bazel's lock and we were not to wait: who, and what to do.
  package var lockProblem: String?
  package var isInterrupted = false
  /// Bazel did not accept the options that it was given.
  package var isRefused = false

  package init() {}
}
