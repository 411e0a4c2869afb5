import Basics
import Bazel
import Events
import FoundationEssentials
import Graph
import Images
import Processes
import Runner
import Runtimes
import Session
import Settings
import SystemPackage

/// Holds what the commands that talk to Bazel share: settings, event log, and the images of the run.
struct Workbench: Sendable {
  private(set) var settings: Settings
  let log: EventHub
  /// Follows the events of the run.
  let profiles: ProfileStore
  /// The run's work.
  let activity: ActivityBoard
  /// Everybody that reads the events of the run on a thread of its own.
  let shown: EventReaders
  let clock = ContinuousClock()
  /// Runs Bazel.
  var runner: any CommandRunner = SubprocessRunner()
  /// The screen of a `dev` on a terminal; `nil`: lines are written instead.
  let screen: LiveTerminal?
  /// Is told what Bazel says while images are looked for; `nil`: the log is.
  var heard: (@Sendable (BuildUpdate) -> Void)?
  /// The lock of `dev`: made anew where somebody has removed its file.
  private var lock: DevLock?
  private let unknownOptions: UnknownOptions

  /// - Parameters:
  ///   - settings: What was asked for.
  ///   - events: Where JSON Lines go beside the output; `nil`: nowhere.
  ///   - screen: Shows the events; `nil`: lines do.
  ///   - outputClosed: Told when the output can't be written any more.
  /// - Throws: `Problem` when the state directory can't be written or there is no Bazel.
  init(
    _ settings: Settings, events: EventsTarget? = nil, screen: LiveTerminal? = nil,
    outputClosed: @escaping @Sendable (OutputClosed) -> Void
  ) throws {
    // First of all: a descriptor that is not open could become one of ours.
    let file = try events.map { target throws(Problem) in
      try EventsFile(target, isOutputJSON: settings.output == .json)
    }
    unknownOptions = UnknownOptions(in: settings.stateDirectory.appending("bazel"))
    self.settings = settings
    self.screen = screen
    let output = EventOutput(settings)
    let log = EventHub(now: { Date() })
    let profiles = ProfileStore(in: settings.profileDirectory)
    var shown = EventReaders()
    try shown.add(
      to: log,
      write: { event in
        if let screen { try screen.write(event) } else { try output.write(event) }
      },
      failed: { error in
        // An event that can't be encoded is a mistake of ours that no user can act on.
        guard let error = error as? OutputClosed else { return assertionFailure("\(error)") }
        outputClosed(error)
      })
    try shown.add(to: log, write: { profiles.record($0) })
    if let file {
      try shown.add(
        to: log, write: { try file.write($0) },
        failed: { log.record(.degraded(reason: "--events: no more goes to \(file.name): \($0)")) })
    }
    self.log = log
    activity = ActivityBoard(clock: clock)
    self.profiles = profiles
    self.shown = shown
    try StateDirectory.prepare(settings.stateDirectory)
    try Program.check(settings.bazelCommand)
  }

  func bazel(in workspace: FilePath) -> Bazel {
    renewLock()
    return Bazel(
      workspace: workspace, executable: settings.bazelCommand,
      startupOptions: settings.startupOptions, runner: runner, clock: clock,
      scratch: settings.stateDirectory.appending("bazel"), unknownOptions: unknownOptions)
  }

  /// The same for a `dev`, which holds a lock.
  func holding(_ lock: DevLock) -> Workbench {
    var bench = self
    bench.lock = lock
    return bench
  }

  private func renewLock() {
    do {
      try lock?.renew()
    } catch {
      log.record(.degraded(reason: error.message))
    }
  }

  /// - Parameter fetchLayer: As the runtimes came with it.
  func setup(
    images: [ImageTarget], runtimes: [any ImageRuntime], fetchLayer: LayerSupply.Fetch? = nil
  ) -> BuildSetup {
    var setup = BuildSetup(
      images: images, runtimes: runtimes, bazel: { bazel(in: $0) },
      buildConcurrency: settings.buildConcurrency, loadJobs: settings.loadJobs,
      keepsGoing: settings.keepsGoing, waitsForLock: settings.waitsForLock, profiles: profiles,
      ledger: Ledger(in: settings.stateDirectory, now: { Date() }))
    setup.kept = KeptOutput(in: settings.stateDirectory.appending(KeptOutput.directoryName))
    setup.activity = activity
    setup.fetchLayer = fetchLayer
    addDelivery(to: &setup)
    return setup
  }

  /// Adds the steps behind the loads: rollouts, and the user's hooks.
  func addDelivery(to setup: inout BuildSetup) {
    let maker = RolloutMaker(
      settings.rollout, in: settings.workspace, notes: RolloutNotes(in: settings.stateDirectory),
      runner: runner, clock: clock)
    setup.makeRollout = { image, runtimes in
      image.rollout.map { maker.rollout(to: $0, from: runtimes) }
    }
    setup.hooks = HookRunner(
      settings.hooks, in: settings.workspace, runner: runner, clock: clock)
  }

  /// Some images are not named but found, so that BUILD files decide which there are.
  var findsImages: Bool {
    !settings.selection.patterns.isEmpty || !settings.selection.queries.isEmpty
  }

  /// The images of the run: configured, named, or found by one query.
  ///
  /// - Parameter known: Found before: they stay where a broken package hides them from the query.
  /// - Returns: In the order of the configuration, then of their labels.
  /// - Throws: `Problem` when there are none, or Bazel can't tell.
  func images(known: [ImageTarget] = []) async throws -> [ImageTarget] {
    let found = try await ImageFinder(bench: self).find(known: known)
    let isPartial = found.isPartial
    var images = try settings.selection.targets(
      found: found.images, named: found.named, settings: settings)
    if isPartial {
      let labels = Set(images.map(\.label))
      images += known.filter { !labels.contains($0.label) }
    }
    guard !images.isEmpty else {
      if isPartial {
        throw Problem(
          "no image targets found in what Bazel could read of \(settings.workspace)",
          hint: "mend what is reported above, or name a label such as //services/api:image.tar",
          status: .buildFailed)
      }
      throw Problem(
        "no image targets found in \(settings.workspace)",
        hint: "name a label such as //services/api:image.tar, tag the rules that make images with "
          + "'watchbuild', or list them under 'images' in watchbuild.yaml")
    }
    return images
  }

  /// What a failed query says, and the exit code that follows.
  func problem(_ error: BazelError) -> Problem {
    for diagnostic in error.diagnostics { tell(.diagnostic(diagnostic)) }
    var problem = Problem(
      "\(error)", status: error.isLockHeld && !settings.waitsForLock ? .lockHeld : .buildFailed)
    problem.isBazels = true
    problem.isTransient = error.isTransient
    return problem
  }

  func tell(_ update: BuildUpdate) {
    if case .progress(let line) = update { activity.add(progress: line) }
    if let heard { heard(update) } else { log.record(update) }
  }

  /// The same with other settings, telling somebody else what Bazel says.
  func with(
    _ settings: Settings, hearing heard: @escaping @Sendable (BuildUpdate) -> Void
  ) -> Workbench {
    var bench = self
    bench.settings = settings
    bench.heard = heard
    return bench
  }

  /// The first event of a run.
  func started(images: [ImageTarget], targets: LoadTargets) {
    log.record(
      .started(
        Event.Started(
          version: watchbuildVersion, workspace: settings.workspace.string,
          images: images.map {
            .init(name: $0.name, target: $0.label.description, ref: $0.expectedNames?.first)
          },
          runtimes: targets.runtimes.map(\.name))))
    for note in targets.notes { log.record(.degraded(reason: note)) }
  }

  /// Gives the runtimes that images go to, and closes their connections afterwards.
  func withRuntimes<Success: Sendable>(
    _ environment: [String: String], _ work: (LoadTargets) async throws -> Success
  ) async throws -> Success {
    let targets: LoadTargets
    do {
      targets = try await LoadTargets.resolve(
        settings.loadTargets, store: settings.imageStore,
        environment: environment)
    } catch let error as RuntimeError {
      throw Problem("\(error)", status: .loadFailed)
    } catch let error as RuntimeChoiceError {
      throw Problem("\(error)")
    }
    do {
      let success = try await work(targets)
      await targets.shutdown()
      return success
    } catch {
      await targets.shutdown()
      throw error
    }
  }
}
