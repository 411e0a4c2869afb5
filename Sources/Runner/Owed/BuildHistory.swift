import Basics
import Bazel
import Synchronization
import SystemPackage

/// What a run's cycles know of those before them: enough to tell what a lost cache cost.
package final class BuildHistory: Sendable {
  private struct State {
    var served: Set<FilePath> = []
    var lastWarm: Int?
    var executionRoots: [FilePath: FilePath] = [:]
    var downloads: [FilePath: OutputDownloads] = [:]
    /// How often in a row the remote cache had lost what a build needs.
    var evictions: [FilePath: Int] = [:]
    /// Images that were said to be left out.
    var leftOut: Set<String> = []
    /// Workspaces whose other repositories were said to be watched by nobody.
    var missed: Set<FilePath> = []
  }

  /// By which of its ways each image is made.
  let ways = ImageWays()
  /// Which image has which name in the runtimes.
  let claims = NameClaims()
  /// What is known of the watches of Bazel's servers.
  let serverWatches = ServerWatches()
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

  /// How Bazel is told to bring outputs here, as the builds before have taught.
  func downloads(in workspace: FilePath) -> OutputDownloads {
    state.withLock { $0.downloads[workspace] ?? OutputDownloads() }
  }

  func taught(_ downloads: OutputDownloads, in workspace: FilePath) {
    state.withLock { $0.downloads[workspace] = downloads.lasting }
  }

  /// Takes the end of a build.
  ///
  /// - Returns: Whether it is not the first in a row that the remote cache has failed so.
  func isEvictedAgain(_ trouble: RemoteTrouble?, in workspace: FilePath) -> Bool {
    state.withLock { state in
      guard trouble?.kind == .evicted else {
        state.evictions[workspace] = nil
        return false
      }
      state.evictions[workspace, default: 0] += 1
      return state.evictions[workspace, default: 0] > 1
    }
  }

  /// - Returns: Whether it is said for the first time.
  func leavesOut(_ image: String) -> Bool {
    state.withLock { $0.leftOut.insert(image).inserted }
  }

  /// - Returns: Whether it is said for the first time.
  func misses(_ workspace: FilePath) -> Bool {
    state.withLock { $0.missed.insert(workspace).inserted }
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
