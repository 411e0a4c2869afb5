import Batching
import Bazel
import Events
import Graph
import Images
import Runtimes
import Synchronization
import SystemPackage
import Watcher

/// What happens in one cycle: tells the event log, and keeps count of what each image came to.
///
/// Written to by the build and by loads at once.
final class CycleRecord: Sendable {
  private enum Progress {
    /// To be built, or on its way, with how often each step is still to be done; `nil`: not built yet.
    case open(stepsLeft: [DeliveryStep: Int]?)
    case current
    case failedBuild
    /// Bazel itself failed, not the image.
    case troubled
    /// It was only found, and can't be built for the platform.
    case leftOut
    /// These steps of its delivery have failed; of each, whether it is tried again by itself.
    case failedSteps([DeliveryStep: Bool])
    /// An image that it requires is not there.
    case heldUp
  }

  private struct State {
    var images: [String: Progress] = [:]
    var isInterrupted = false
    var lockProblem: String?
    var commands = 0
    var timings = Event.CycleEnded.Timings()
    var phases: BazelPhases?
    var hasDiscardedCache = false
    var isRefused = false
    var broken = BrokenFiles()
    var heldUp = HeldUpBy()
    /// Images that wait for a service, by what is wrong with it.
    var waiting: [String: Set<String>] = [:]
    /// What was said to the user beside outcomes: each once in a cycle.
    var notices: Set<String> = []
    /// How images are made that could not be made in the best way.
    var notes: [String: String] = [:]
    /// Images that a runtime holds anew, or that run anew.
    var fresh: Set<String> = []
    var hasFailedHook = false
  }

  /// `nil`: before the first cycle.
  let number: Int?
  private let log: EventHub
  let history: BuildHistory
  private let kept: KeptOutput?
  /// Is told what the log is.
  private let told: @Sendable (Event.Kind) -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - kept: Where what is printed goes; `nil`: nowhere.
  ///   - told: Is told what the log is.
  init(
    number: Int?, log: EventHub, history: BuildHistory = BuildHistory(), kept: KeptOutput? = nil,
    told: @escaping @Sendable (Event.Kind) -> Void = { _ in }
  ) {
    self.number = number
    self.log = log
    self.history = history
    self.kept = kept
    self.told = told
  }

  @discardableResult
  func record(_ kind: Event.Kind) -> Int? {
    defer { told(kind) }
    return log.record(kind, cycle: number)
  }

  /// - Parameters:
  ///   - images: The images that a diagnostic or an output belongs to, where that is known already.
  ///   - isPrinted: A build printed it, which is told as it was printed, too.
  func record(_ update: BuildUpdate, images: [String] = [], isPrinted: Bool = false) {
    if case .cacheDiscarded = update { state.withLock { $0.hasDiscardedCache = true } }
    let cycle = number ?? 0
    switch update {
    case .printed(let line): kept?.add(line, cycle: cycle)
    case .output(let output): kept?.add(output, for: known(images, update), cycle: cycle)
    case .diagnostic(let diagnostic) where !isPrinted: kept?.add("\(diagnostic)", cycle: cycle)
    default: break
    }
    if case .diagnostic(let diagnostic) = update {
      guard state.withLock({ $0.broken.takeIn(diagnostic) }) else { return }
    }
    if case .notice(let text) = update, !state.withLock({ $0.notices.insert(text).inserted }) {
      return
    }
    let images = known(images, update)
    let log = kept?.file(of: images.count == 1 ? images.first : nil, cycle: cycle)?.string
    guard let kind = Event.Kind(update, images: images, log: log) else { return }
    record(kind)
  }

  /// Keeps what actions printed of an image that has failed of them.
  func keep(_ outputs: [ActionOutput], of image: ImageTarget) {
    for output in outputs { kept?.add(output, for: [image.name], cycle: number ?? 0) }
  }

  /// Lets mistakes in files be told of the images that they hold up.
  ///
  /// - Parameter targets: For where there is no index yet: a mistake in a package holds up its images.
  func attribute(by indexes: some Sequence<TargetIndex>, of targets: [ImageTarget] = []) {
    state.withLock { state in
      state.heldUp.indexes = Array(indexes)
      if !targets.isEmpty { state.heldUp.targets = targets }
    }
  }

  /// The images of the cycle that an update is about, where they are not known already.
  private func known(_ images: [String], _ update: BuildUpdate) -> [String] {
    guard images.isEmpty else { return images }
    let (heldUp, asked) = state.withLock { ($0.heldUp, Set($0.images.keys)) }
    return switch update {
    case .diagnostic(let diagnostic): heldUp.images(dependingOn: diagnostic.file, among: asked)
    case .output(let output) where output.target == nil:
      heldUp.images(named: output.title, among: asked)
    default: []
    }
  }

  // MARK: What happens

  /// These images are the cycle's to make.
  func begin(_ images: some Sequence<String>) {
    state.withLock { state in
      for image in images { state.images[image] = .open(stepsLeft: nil) }
    }
  }

  func commandStarted() { state.withLock { $0.commands += 1 } }

  func time(_ change: @Sendable (inout Event.CycleEnded.Timings) -> Void) {
    state.withLock { change(&$0.timings) }
  }

  func add(_ phases: BazelPhases) {
    state.withLock { $0.phases = ($0.phases ?? BazelPhases()) + phases }
  }

  /// A build in this workspace has reached Bazel's server.
  func served(_ workspace: FilePath) { history.served(workspace) }

  /// Where Bazel runs the actions of a workspace, as far as it has told.
  func executionRoot(of workspace: FilePath) -> FilePath? {
    history.executionRoot(of: workspace)
  }

  func foundExecutionRoot(_ root: FilePath, of workspace: FilePath) {
    history.foundExecutionRoot(root, of: workspace)
  }

  /// Says so where the server had been there before, and nothing else explains it.
  func serverStarted(_ line: String, in workspace: FilePath) {
    let isExplained = state.withLock { $0.hasDiscardedCache }
    guard !isExplained, history.isServed(workspace) else { return }
    record(.cacheDiscarded(option: "server", message: line))
  }

  /// Bazel did not accept its command line.
  func refused() { state.withLock { $0.isRefused = true } }

  /// What failed in a build that had no chance is worth another try by itself.
  func excuse(_ images: [String]) {
    state.withLock { state in
      for image in images {
        if case .failedBuild = state.images[image] { state.images[image] = .troubled }
      }
    }
  }

  func interrupted() { state.withLock { $0.isInterrupted = true } }

  /// - Parameter problem: Who holds it, and what to do.
  func lockHeld(_ problem: String) { state.withLock { $0.lockProblem = problem } }

  /// - Parameter steps: All that it takes to deliver each of its images.
  func built(_ image: ImageTarget, ms: Int, steps: [DeliveryStep]) {
    let left = Dictionary(steps.map { ($0, 1) }, uniquingKeysWith: +)
    state.withLock {
      $0.images[image.name] = left.isEmpty ? .current : .open(stepsLeft: left)
    }
    let note = state.withLock { $0.notes[image.name] }
    tell(image, .built) {
      $0.ms = ms
      $0.note = note
    }
  }

  /// The image is made in another way, since the one before was of no use.
  func tookOtherWay(
    _ image: ImageTarget, _ way: ImageSource.Way, after trouble: ImageWays.Trouble
  ) {
    let made = way.form == .archive ? "from the tar" : "from the layout without its base's layers"
    state.withLock { $0.notes[image.name] = "\(made): \(trouble)" }
  }

  /// A step of the image's delivery went well; after the last one the image is current.
  func done(_ step: DeliveryStep, of image: ImageTarget) {
    state.withLock { state in
      guard case .open(var left?) = state.images[image.name] else { return }
      left[step] = left[step].flatMap { $0 > 1 ? $0 - 1 : nil }
      state.images[image.name] = left.isEmpty ? .current : .open(stepsLeft: left)
    }
  }

  /// The image is other than before where it is to be.
  func freshened(_ image: ImageTarget) {
    state.withLock { _ = $0.fresh.insert(image.name) }
  }

  /// A hook has ended; where it failed, so has the cycle.
  func hooked(_ outcome: HookRunner.Outcome) {
    if !outcome.isGood { state.withLock { $0.hasFailedHook = true } }
    record(.hook(outcome.event))
  }

  /// - Parameter isRetried: Without any change, after a while.
  func failed(_ step: DeliveryStep, of image: ImageTarget, isRetried: Bool) {
    state.withLock { state in
      var steps = [step: isRetried]
      if case .failedSteps(let others) = state.images[image.name] {
        steps.merge(others) { first, _ in first }
      }
      state.images[image.name] = .failedSteps(steps)
    }
  }

  func loaded(
    _ image: ImageTarget, _ result: LoadResult, as references: [ImageReference], runtime: String,
    ms: Int
  ) {
    done(.load(into: runtime), of: image)
    if result.isChanged { freshened(image) }
    tell(image, result.isChanged ? .loaded : .unchanged) {
      $0.name(references)
      $0.id = result.id.description
      $0.runtime = runtime
      $0.step = "load"
      $0.bytesSent = result.bytesSent
      $0.layersSent = result.layersSent
      $0.layersTotal = result.layersTotal
      $0.ms = ms
    }
  }

  /// A load that takes long is on its way.
  func loading(
    _ image: ImageTarget, _ count: LoadProgress.Count, bytesPerSecond: Int64,
    as reference: ImageReference, runtime: String
  ) {
    record(
      .progress(
        Event.LoadProgressed(
          image: image.name, runtime: runtime, ref: reference.description,
          bytesSent: count.sent, bytesTotal: count.total, bytesPerSecond: bytesPerSecond,
          layersSent: count.layersSent, layersTotal: count.layersTotal)))
  }

  func failedBuild(_ image: ImageTarget, _ message: String) {
    let cause = state.withLock { $0.broken.cause(of: message) }
    let error = cause.map { "\($0.file):\($0.line): \($0.message)" } ?? message
    state.withLock { $0.images[image.name] = .failedBuild }
    kept?.add(failure: error, of: image.name, cycle: number ?? 0)
    tell(image, .failed) {
      $0.error = error
      $0.step = "build"
      $0.log = kept?.file(of: image.name, cycle: number ?? 0)?.string
    }
  }

  /// Bazel ended before it came to the image; worth another try without any change.
  func troubled(_ image: ImageTarget, _ error: String) {
    state.withLock { $0.images[image.name] = .troubled }
    tell(image, .failed) { $0.error = error }
  }

  /// A service that Bazel needs for the image failed: told once for all images, when the cycle ends.
  func waits(_ image: ImageTarget, because problem: String) {
    state.withLock {
      $0.images[image.name] = .troubled
      $0.waiting[problem, default: []].insert(image.name)
    }
    tell(image, .cancelled) { $0.error = problem }
  }

  /// The image is for another platform: a failure of one that was named, and no matter for the cycles
  /// to come where it was only found.
  func incompatible(_ image: ImageTarget, _ sentence: String) {
    guard image.isFound else { return failedBuild(image, sentence) }
    state.withLock { $0.images[image.name] = .leftOut }
    tell(image, .cancelled) { $0.error = sentence }
    if history.leavesOut(image.name) {
      record(.degraded(reason: "\(image.name) is left out: \(sentence)"))
    }
  }

  /// Nobody could tell where Bazel keeps other repositories: what lies there is not watched. Told once in a run.
  func missesRepositories(of workspace: FilePath) {
    guard history.misses(workspace) else { return }
    record(
      .degraded(
        reason:
          "Bazel's output base for \(workspace) was not found, so saves in local repositories are not seen; "
          + "build once without --symlink_prefix, or save a file of the workspace after such a change"
      ))
  }

  func failedLoad(
    _ image: ImageTarget, _ error: String, as references: [ImageReference], runtime: String
  ) {
    failed(.load(into: runtime), of: image, isRetried: true)
    tell(image, .failed) {
      $0.error = error
      $0.name(references)
      $0.runtime = runtime
      $0.step = "load"
    }
  }

  /// The image was not finished, through no fault of its own: it stays owed.
  func cancelled(_ image: ImageTarget, because reason: String) {
    tell(image, .cancelled) { $0.error = reason }
  }

  /// The image waits for another: it stays owed.
  func heldUp(_ image: ImageTarget, by other: String) {
    state.withLock { $0.images[image.name] = .heldUp }
    tell(image, .cancelled) {
      $0.heldUpBy = other
      $0.error = "it requires \(other), which is not loaded"
    }
  }

  /// A hook before the build failed, so that the image is not built: it stays owed.
  func refused(_ image: ImageTarget, by hook: String) {
    state.withLock { $0.images[image.name] = .heldUp }
    tell(image, .cancelled) { $0.error = "it is not built, because the hook '\(hook)' failed" }
  }

  func tell(
    _ image: ImageTarget, _ status: Event.ImageChanged.Status,
    _ fill: (inout Event.ImageChanged) -> Void
  ) {
    var event = Event.ImageChanged(
      image: image.name, target: image.label.description, status: status)
    fill(&event)
    record(.image(event))
  }

  // MARK: What it came to

  /// Images that are current, and were not when the cycle began.
  var fresh: Set<String> {
    let current = names { if case .current = $0 { true } else { false } }
    return state.withLock(\.fresh).intersection(current)
  }

  /// Images that failed, and a line that says so; `nil`: nothing has failed.
  var failure: (images: Set<String>, summary: String)? {
    let failed = names { progress in
      switch progress {
      case .failedBuild, .troubled, .failedSteps: true
      case .open, .current, .leftOut, .heldUp: false
      }
    }
    let hasFailedHook = state.withLock(\.hasFailedHook)
    guard !failed.isEmpty || hasFailedHook else { return nil }
    let summary =
      failed.isEmpty
      ? "a hook failed" : "\(failed.count) failed (\(failed.sorted().joined(separator: ", ")))"
    return (failed, summary)
  }

  /// Images that are neither done nor failed.
  var unfinished: Set<String> {
    names { if case .open = $0 { true } else { false } }
  }

  /// How far an image has got; `nil`: nowhere yet, or it failed.
  func stage(of image: String) -> Stage? {
    state.withLock { state in
      switch state.images[image] {
      case .current, .leftOut: .live
      // What is rolled out has been loaded everywhere.
      case .open(stepsLeft: .some(let steps)):
        steps.keys.contains { $0.kind == .load } ? .built : .loaded
      case .failedSteps(let steps): steps.keys.contains { $0.kind == .load } ? .built : .loaded
      case .open(stepsLeft: nil), .failedBuild, .troubled, .heldUp, nil: nil
      }
    }
  }

  func isCurrent(_ image: String) -> Bool {
    state.withLock { if case .current = $0.images[image] { true } else { false } }
  }

  func isAsked(for image: String) -> Bool { state.withLock { $0.images[image] != nil } }

  var lockProblem: String? { state.withLock(\.lockProblem) }

  /// Told in `cycle`, and handed to the loop.
  func end(totalMs: Int, indexes: [TargetIndex]) -> CycleOutcome {
    var outcome = CycleOutcome()
    outcome.indexes = indexes
    outcome.current = names { if case .current = $0 { true } else { false } }
    outcome.failedBuilds = names { if case .failedBuild = $0 { true } else { false } }
    outcome.leftOut = names { if case .leftOut = $0 { true } else { false } }
    outcome.troubled = names { if case .troubled = $0 { true } else { false } }
    for (image, progress) in state.withLock(\.images) {
      guard case .failedSteps(let steps) = progress else { continue }
      let loads = steps.keys.filter { $0.kind == .load }.map(\.target)
      if !loads.isEmpty { outcome.failedLoads[image] = Set(loads) }
      for (step, isRetried) in steps where step.kind == .rollout {
        outcome.failedRollouts[image] = .init(target: step.target, isRetried: isRetried)
      }
    }
    let (timings, phases, commands, hasDiscarded) = state.withLock { state in
      state.timings.totalMs = totalMs
      outcome.isInterrupted = state.isInterrupted
      outcome.lockProblem = state.lockProblem
      outcome.waiting = state.waiting
      outcome.isRefused = state.isRefused
      outcome.hasFailedHook = state.hasFailedHook
      return (state.timings, state.phases, state.commands, state.hasDiscardedCache)
    }
    let cost =
      outcome.isInterrupted || commands == 0
      ? nil : history.ended(bazelMs: timings.bazelMs, hasDiscarded: hasDiscarded)
    outcome.heldUp = names { if case .heldUp = $0 { true } else { false } }
    outcome.unfinished = unfinished
    let failed = outcome.failedBuilds.union(outcome.troubled).union(outcome.undelivered)
    record(
      .cycle(
        Event.CycleEnded(
          status: outcome.isInterrupted
            ? .cancelled : failed.isEmpty && !outcome.hasFailedHook ? .ok : .failed,
          ok: outcome.current.count, failed: failed.count, heldUp: outcome.heldUp.count,
          failedImages: failed.sorted(), timings: timings, bazelCommands: commands, phases: phases,
          cacheCostMs: cost)))
    return outcome
  }

  private func names(where matches: (Progress) -> Bool) -> Set<String> {
    state.withLock { Set($0.images.filter { matches($0.value) }.keys) }
  }
}

extension Event.ImageChanged {
  fileprivate mutating func name(_ references: [ImageReference]) {
    ref = references.first?.description
    refs = references.map(\.description)
  }
}
