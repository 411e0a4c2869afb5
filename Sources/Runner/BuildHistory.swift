import Synchronization
import SystemPackage

/// What a run's cycles know of those before them: enough to tell what a lost cache cost.
package final class BuildHistory: Sendable {
  private struct State {
    var served: Set<FilePath> = []
    var lastWarm: Int?
    var executionRoots: [FilePath: FilePath] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  /// Whether Bazel's server has built in this workspace before in this run.
  func isServed(_ workspace: FilePath) -> Bool { state.withLock { $0.served.contains(workspace) } }

  func served(_ workspace: FilePath) { state.withLock { _ = $0.served.insert(workspace) } }

  /// Where Bazel runs the actions of a workspace, as its last build told, or its convenience links tell.
  func executionRoot(of workspace: FilePath) -> FilePath? {
    state.withLock { $0.executionRoots[workspace] }
      ?? SymbolicLink.target(of: workspace.appending("bazel-out"))?.removingLastComponent()
  }

  func foundExecutionRoot(_ root: FilePath, of workspace: FilePath) {
    state.withLock { $0.executionRoots[workspace] = root }
  }

  /// Takes a cycle that succeeded.
  ///
  /// - Returns: What a discarded cache cost it, against the last cycle that had its cache.
  func ended(bazelMs: Int, hasDiscarded: Bool) -> Int? {
    state.withLock { state in
      guard hasDiscarded else {
        state.lastWarm = bazelMs
        return nil
      }
      return state.lastWarm.map { max(0, bazelMs - $0) }
    }
  }
}
