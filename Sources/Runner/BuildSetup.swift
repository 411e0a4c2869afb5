package import Batching
package import SystemPackage

/// What a cycle works with: made once from the settings, again when the configuration changes.
package struct BuildSetup: Sendable {
  package var images: [ImageTarget]
  /// Each image goes to all of them.
  package var runtimes: [any ImageRuntime]
  /// The Bazel of a workspace.
  package var bazel: @Sendable (FilePath) -> Bazel
  /// At most so many images in one grouped build; 0: no limit.
  package var buildConcurrency: Int
  /// Loads at once.
  package var loadJobs: Int
  package var keepsGoing: Bool
  package var waitsForLock: Bool
  /// Where the profiles of builds go; `nil`: nowhere.
  package var profiles: ProfileStore?
  /// Where loads are written down; `nil`: nowhere.
  package var ledger: Ledger?

  package init(
    images: [ImageTarget], runtimes: [any ImageRuntime],
    bazel: @escaping @Sendable (FilePath) -> Bazel, buildConcurrency: Int = 0, loadJobs: Int = 4,
    keepsGoing: Bool = true, waitsForLock: Bool = true,
    profiles: ProfileStore? = nil, ledger: Ledger? = nil
  ) {
    self.images = images
    self.runtimes = runtimes
    self.bazel = bazel
    self.buildConcurrency = buildConcurrency
    self.loadJobs = loadJobs
    self.keepsGoing = keepsGoing
    self.waitsForLock = waitsForLock
    self.profiles = profiles
    self.ledger = ledger
  }

  /// Lets every runtime make ready for loads, all side by side.
  func prepareRuntimes() async {
    await withTaskGroup { group in
      for runtime in runtimes { group.addTask { await runtime.prepare() } }
    }
  }

  /// Whether every runtime can be reached now.
  func areRuntimesAvailable() async -> Bool {
    for runtime in runtimes where await !runtime.isAvailable() { return false }
    return true
  }
}
