import Basics
package import Graph
package import Watcher

/// The result of a cycle.
package struct CycleOutcome: Sendable {
  /// Images that every runtime holds as the files gave them when the cycle began, or later.
  package var current: Set<String> = []
  package var failedBuilds: Set<String> = []
  /// Images that Bazel did not come to, because it failed itself.
  package var troubled: Set<String> = []
  /// Images that Bazel found itself, and whose platform is another: nobody asked for them by name.
  package var leftOut: Set<String> = []
  /// Images that wait for a service, by what is wrong with it.
  package var waiting: [String: Set<String>] = [:]
  /// Images that some runtimes did not take, and the names of those.
  package var failedLoads: [String: Set<String>] = [:]
  /// Images that are loaded, and do not run where they should.
  package var failedRollouts: [String: FailedRollout] = [:]
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
  package var hasFailedHook = false

  package init() {}

  package struct FailedRollout: Hashable, Sendable {
    package var target: String
    /// Without any change, after a while.
    package var isRetried: Bool

    package init(target: String, isRetried: Bool) {
      self.target = target
      self.isRetried = isRetried
    }
  }

  /// Images that are built, and did not get to where they should be.
  var undelivered: Set<String> { Set(failedLoads.keys).union(failedRollouts.keys) }

  /// Steps that are tried again by themselves, each in a lane of its own, with their images.
  var retriedSteps: [Retries.Lane: Set<String>] {
    var lanes: [Retries.Lane: Set<String>] = [:]
    for (image, runtimes) in failedLoads {
      for runtime in runtimes { lanes[.runtime(runtime), default: []].insert(image) }
    }
    for (image, rollout) in failedRollouts where rollout.isRetried {
      lanes[.rollout(rollout.target), default: []].insert(image)
    }
    return lanes
  }
}

extension CycleOutcome {
  /// Troubles with services, each with the number of its images: a line each.
  ///
  /// - Parameter wait: When it is tried again; `nil`: that is not known, or not done.
  func waitingTexts(retriedAfter wait: Duration?) -> [String] {
    waiting.sorted { $0.key < $1.key }.map { problem, images in
      let count = images.count == 1 ? "1 image waits" : "\(images.count) images wait"
      let wait = wait.map { ", tried again in \(($0.milliseconds + 500) / 1000) s" } ?? ""
      return "\(problem); \(count) for it\(wait)"
    }
  }
}
