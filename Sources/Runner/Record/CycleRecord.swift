import Batching
import Bazel
import Events
import Graph
import Images
import Runtimes
import Synchronization
import SystemPackage
import Watcher

/// Records one cycle: tells the event log, and keeps count of what each image came to.
///
/// Written to by the build and by loads at once.
final class CycleRecord: Sendable {
  struct State {
    var progress = CycleProgress()
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
    /// Notices to the user beside outcomes: each once in a cycle.
    var notices: Set<String> = []
    /// Notes on images that could not be made in the best way.
    var notes: [String: String] = [:]
    /// Images that a runtime holds anew, or that run anew.
    var fresh: Set<String> = []
    var hasFailedHook = false
  }

  /// `nil`: before the first cycle.
  let number: Int?
  private let log: EventHub
  let history: BuildHistory
  let kept: KeptOutput?
  /// Is told what the log is.
  private let told: @Sendable (Event.Kind) -> Void
  let state = Mutex(State())

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
    let (heldUp, asked) = state.withLock { ($0.heldUp, $0.progress.asked) }
    return switch update {
    case .diagnostic(let diagnostic): heldUp.images(dependingOn: diagnostic.file, among: asked)
    case .output(let output) where output.target == nil:
      heldUp.images(named: output.title, among: asked)
    default: []
    }
  }

  /// These images are the cycle's to make.
  func begin(_ images: some Sequence<String>) {
    state.withLock { $0.progress.begin(images) }
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

  /// Has images tried again by themselves whose build had no chance.
  func excuse(_ images: [String]) {
    state.withLock { $0.progress.excuse(images) }
  }

  func interrupted() { state.withLock { $0.isInterrupted = true } }

  /// - Parameter problem: Who holds it, and what to do.
  func lockHeld(_ problem: String) { state.withLock { $0.lockProblem = problem } }
}
