import Basics
package import Bazel
package import Graph
package import Images
package import Runtimes
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
  /// Where what is printed goes; `nil`: nowhere.
  package var kept: KeptOutput?
  /// Told what is being done; `nil`: nobody is.
  package var activity: ActivityBoard?
  /// Where loads are written down; `nil`: nowhere.
  package var ledger: Ledger?
  /// Brings layers here that a build has left in a registry; `nil`: nobody does.
  package var fetchLayer: LayerSupply.Fetch?
  /// What the runtimes hold by the loads of this run.
  package var held = HeldImages()
  /// When Bazel's server may watch the workspace; `nil`: never.
  package var watchRules: WatchRules?
  /// Runs the user's hooks; `nil`: there are none.
  package var hooks: HookRunner?
  /// Makes what has an image run, where it has a rollout.
  package var makeRollout: @Sendable (ImageTarget, [any ImageRuntime]) -> (any Rollout)? = { _, _ in
    nil
  }

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

  func rollout(of image: ImageTarget) -> (any Rollout)? { makeRollout(image, runtimes) }

  /// Lets every runtime make ready for loads, all side by side.
  func prepareRuntimes() async {
    await withTaskGroup { group in
      for runtime in runtimes { group.addTask { await runtime.prepare() } }
    }
  }

  /// Asks runtimes whether they can be reached now, all side by side.
  ///
  /// - Parameters:
  ///   - names: The runtimes that are asked, and no others: one that is down may be slow to tell.
  ///   - patience: Whoever has not answered by then can't be reached.
  /// - Returns: The names of those that can.
  func availableRuntimes(
    among names: Set<String>, within patience: Duration = .seconds(10),
    clock: any Clock<Duration> = ContinuousClock()
  ) async -> Set<String> {
    let asked = runtimes.filter { names.contains($0.name) }
    if asked.isEmpty { return [] }
    return await withTaskGroup(of: (name: String, isAvailable: Bool)?.self) { group in
      for runtime in asked {
        group.addTask { (runtime.name, await runtime.isAvailable()) }
      }
      group.addTask {
        // Cancelled when all have answered.
        try? await clock.pause(for: patience)
        return nil
      }
      var available: Set<String> = []
      var answers = 0
      for await answer in group {
        if let answer {
          answers += 1
          if answer.isAvailable { available.insert(answer.name) }
        }
        // Out of patience, or all have answered.
        if answer == nil || answers == asked.count { group.cancelAll() }
      }
      return available
    }
  }
}
