import Basics
import Batching
import Bazel
import Dashboard
import Events
import FoundationEssentials
import Glibc
import Graph
import Logging
import Processes
import Runner
import Runtimes
import Session
import Settings
import Synchronization
import SystemPackage
import Watcher

/// One run of `dev`: ties watcher, batcher and loop together, and reads the configuration again
/// when it changes.
struct DevSession: Sendable {
  let bench: Workbench
  let watch: Watch
  let invocation: Invocation
  private let loop: LoopOptions
  private let watching: WatchOptions
  let session: Session<ContinuousClock>
  let stop: @Sendable () -> Void
  let degraded = DegradedNotes()
  let shown = ShownRun()
  private let log = Logger(label: "watcher")

  init(
    bench: Workbench, watch: Watch, invocation: Invocation, loop: LoopOptions,
    watching: WatchOptions, stop: @escaping @Sendable () -> Void
  ) {
    var bench = bench
    bench.runner = MarkedRunner(bench.runner, mark: watch.mark)
    self.bench = bench
    self.watch = watch
    self.invocation = invocation
    self.loop = loop
    self.watching = watching
    self.stop = stop
    session = Session(log: bench.log, clock: bench.clock, source: watch)
  }

  /// Runs until cancelled.
  func run() async throws {
    bench.screen?.show(screenRun)
    let control = try await startControl()
    var dashboard: Dashboard?
    let result: Result<Void, any Error>
    do {
      dashboard = try await startDashboard()
      result = .success(try await runLoop())
    } catch {
      result = .failure(error)
    }
    // Also where it was cancelled: those who wait are told.
    await dashboard?.stop()
    await control?.stop()
    try result.get()
  }

  private func runLoop() async throws {
    try await bench.tellingActivity {
      let (images, heard) = try await bench.firstImages()
      await watch.add(Set(images.map(\.key.workspace)))
      try await bench.withRuntimes(invocation.environment) { targets in
        bench.started(images: images, targets: targets)
        await tellWatching()
        var setup = bench.setup(
          images: images, runtimes: targets.runtimes, fetchLayer: targets.fetchLayer)
        setup.watchRules = watchRules
        try await run(setup, heard: heard)
      }
    }
  }

  /// When Bazel's server may watch, too; `nil`: never.
  private var watchRules: WatchRules? {
    let choice = bench.settings.watchesInBazel
    guard choice != .never, watch.trigger == "notify", watch.shortfall == nil else { return nil }
    var rules = WatchRules { [degraded] in degraded.all.isEmpty }
    if choice == .always { rules.leastFiles = 0 }
    return rules
  }

  private func tellWatching() async {
    let summary = await watch.ready()
    for reason in [watch.shortfall, summary.degraded] { reason.map(degraded.add) }
    bench.log.record(
      .watching(
        Event.Watching(
          directories: summary.directories, files: summary.files, trigger: watch.trigger,
          degraded: watch.shortfall ?? summary.degraded)))
  }

  private func run(_ setup: BuildSetup, heard: [BuildUpdate]) async throws {
    let settings = bench.settings
    let versionControl = Set(setup.images.map(\.key.workspace)).union([settings.workspace])
      .map { VersionControlLock(root: $0) }
    var rules = Session<ContinuousClock>.Rules(
      window: .init(debounce: settings.debounce, maxDelay: settings.maxDelay))
    rules.busy = settings.onBusyUpdate
    rules.isManual = settings.trigger == .manual
    rules.postpones = settings.isPostponed || rules.isManual
    rules.definitions = definitions
    rules.saved = SavedIndexes(in: settings.stateDirectory, log: bench.log)
    rules.isHeld = { versionControl.contains { $0.isHeld() } }
    var errands = Session<ContinuousClock>.Errands()
    errands.read = { try await read($0, from: $1, hearing: $2) }
    errands.follow = follow
    errands.tell = tell
    errands.overdue = tellOverdue
    try await withThrowingTaskGroup(of: Void.self) { [rules, errands] group in
      group.addTask {
        await ImageCleaning(settings: settings, environment: invocation.environment)
          .run(in: setup.runtimes, clock: bench.clock)
      }
      group.addTask {
        await OlderContainers(of: setup.images, in: setup.runtimes, log: bench.log).run()
      }
      defer { group.cancelAll() }
      try await session.run(setup, by: rules, errands: errands, heard: heard)
    }
  }

  /// Where images are found by a query, a BUILD file anywhere may name a new one: then the whole
  /// tree stays watched.
  private func follow(_ index: TargetIndex) async -> Bool {
    shown.add(index)
    return await watch.follow(index, isWhole: bench.findsImages)
  }

  private func tellOverdue(_ batch: Batch) {
    bench.log.record(
      .degraded(
        reason:
          "version control has held its lock for \(batch.window.components.seconds) s; building anyway, "
          + "perhaps from files that are half switched (a lock that a killed command has left "
          + "behind can be removed: .git/index.lock, .hg/wlock)"))
  }

  private func tell(_ event: WatchEvent) {
    switch event {
    case .changed(let change):
      bench.activity.saved(shown(change.path))
      log.debug(
        "told",
        metadata: [
          "path": "\(change.path)", "kind": "\(change.kind)", "repeated": "\(change.isRepeated)",
        ])
    case .overflowed(let reason): bench.log.record(.overflow(reason: reason))
    case .degraded(let reason):
      degraded.add(reason)
      bench.log.record(.degraded(reason: reason))
    case .rootLost(let root):
      bench.log.record(.degraded(reason: "\(root) is gone; it is waited for"))
    case .rootReturned(let root):
      bench.log.record(
        .degraded(reason: "\(root) is there again, or another in its place: everything is built"))
    case .marked: break
    }
  }

  /// A path as people see it.
  private func shown(_ path: FilePath) -> String {
    var path = path
    _ = path.removePrefix(bench.settings.workspace)
    return path.string
  }

  /// Tells which images there are that were not, and which there are no more.
  private func tellImages(_ new: [ImageTarget], after old: [ImageTarget]) {
    func missing(in images: [ImageTarget], of others: [ImageTarget]) -> [Event.ImagesChanged.Image]
    {
      let names = Set(images.map { [$0.name, $0.label.description] })
      return others.map { [$0.name, $0.label.description] }.filter { !names.contains($0) }
        .map { .init(name: $0[0], target: $0[1]) }
    }
    let changed = Event.ImagesChanged(
      added: missing(in: old, of: new), removed: missing(in: new, of: old))
    guard !changed.added.isEmpty || !changed.removed.isEmpty else { return }
    bench.log.record(.images(changed))
  }

  // MARK: Configuration

  /// Which changes ask for the configuration, or for which images there are, to be read again.
  ///
  /// Of images that are named the BUILD files decide how they are made.
  private var definitions: Definitions {
    let configuration = configurationPath
    let isAsked = bench.findsImages || bench.settings.selection.asksForKinds
    return Definitions { path in
      if path == configuration { return .configuration }
      let images: Reading = isAsked && Self.definesTargets(path) ? .images : []
      return path.lastComponent?.string == ".bazelignore" ? images.union(.ignored) : images
    }
  }

  /// The setup as the configuration, or Bazel, tells it now.
  ///
  /// A bad configuration, or a workspace that Bazel can't read, leaves the old setup in force; where Bazel itself
  /// failed it is worth another try.
  private func read(
    _ reading: Reading, from setup: BuildSetup,
    hearing heard: @escaping @Sendable (BuildUpdate) -> Void
  ) async throws -> ReadingOutcome {
    // Before anything is asked: what changes there meanwhile is seen.
    if reading.contains(.ignored) { await watch.rereadIgnored() }
    guard !reading.isDisjoint(with: [.configuration, .images]) else { return .read(nil) }
    do {
      let settings =
        reading.contains(.configuration)
        ? try invocation.settings(loop: loop, watching: watching) : bench.settings
      tellUnapplied(settings)
      let images = try await bench.activity.reading {
        try await bench.with(settings, hearing: heard).images(known: setup.images)
      }
      // A BUILD file that decides nothing here: what it means for the graph is seen by itself.
      if images == setup.images, !reading.contains(.configuration), !bench.findsImages {
        return .read(nil)
      }
      await watch.add(Set(images.map(\.key.workspace)))
      tellImages(images, after: setup.images)
      var changed = setup
      changed.images = images
      changed.buildConcurrency = settings.buildConcurrency
      changed.keepsGoing = settings.keepsGoing
      changed.loadJobs = settings.loadJobs
      bench.with(settings, hearing: heard).addDelivery(to: &changed)
      return .read(changed)
    } catch let problem as Problem {
      tell(problem)
      return problem.isBazels ? .failed(isTransient: problem.isTransient) : .read(nil)
    } catch let error as CommandError {
      bench.log.record(.degraded(reason: "\(error); which images there are is asked again"))
      return .failed(isTransient: true)
    }
  }

  /// What can't change while it runs is said, rather than silently left as it was.
  private func tellUnapplied(_ changed: Settings) {
    let keys = changed.keysAwaitingRestart(since: bench.settings)
    guard !keys.isEmpty else { return }
    let names = keys.joined(separator: ", ")
    bench.log.record(
      .degraded(reason: "\(names): the change takes effect when watchbuild is started again"))
  }

  private var configurationPath: FilePath {
    bench.settings.configurationFile?.path
      ?? bench.settings.workspace.appending("watchbuild.yaml")
  }

  private static func definesTargets(_ path: FilePath) -> Bool {
    guard let name = path.lastComponent?.string else { return false }
    return BuildFileName.all.contains(name) || name.hasSuffix(".bzl") || name == ".bazelignore"
      || name == "REPO.bazel"
  }

  private func tell(_ problem: Problem) {
    for problem in [problem] + problem.others {
      guard let place = problem.location else {
        bench.log.record(.degraded(reason: problem.message))
        continue
      }
      bench.log.record(
        .diagnostic(
          Event.Diagnosed(
            Diagnostic(
              file: place.file, line: place.line, column: place.column, severity: .error,
              message: problem.message), image: nil)))
    }
  }
}

/// Why less is seen than could be, each reason once.
final class DegradedNotes: Sendable {
  /// Said of single directories, there could be very many.
  private static let limit = 50

  private let reasons = Mutex<[String]>([])

  var all: [String] { reasons.withLock { $0 } }

  func add(_ reason: String) {
    reasons.withLock { reasons in
      if reasons.count < Self.limit, !reasons.contains(reason) { reasons.append(reason) }
    }
  }
}
