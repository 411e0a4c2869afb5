import Basics
import Bazel
import Events

/// The work of a run, as far as its events and Bazel's progress tell: pure.
struct ActivityState: Sendable {
  /// So many actions, and so many waiting paths, are told at most.
  private static let limit = 10
  /// So many of the latest cycles say what is usual.
  private static let remembered = 9

  private struct Load: Hashable {
    var image: String
    var runtime: String
  }

  private enum Work: Equatable {
    /// Until the first cycle, or until nothing is left to be built at start.
    case start
    case query
    case cycle(cause: String)
    /// Nothing runs.
    case none
  }

  private var work = Work.start
  /// The cycle that runs.
  private(set) var cycle: Int?
  private var began = Duration.zero
  private var isBuilding = false
  /// When Bazel's lock was last told to be held by somebody else.
  private var lockTold: Duration?
  private var progress: (line: BazelProgress?, text: String, since: Duration)?
  private var images: Set<String> = []
  private var doneImages: Set<String> = []
  /// Loads that are under way, each with its beginning.
  private var loads: [Load: Duration] = [:]
  private var rollouts: [String: Duration] = [:]
  private var queued: [String] = []
  private var usual: [String: [Int]] = [:]

  init() {}

  // MARK: What happens

  /// To be given every event, in order.
  mutating func add(_ event: Event, at now: Duration) {
    switch event.kind {
    case .ready: if work == .start { end() }
    case .batch(let batch):
      begin(.cycle(cause: Self.kind(of: batch.cause)), at: now - .milliseconds(batch.windowMs))
      cycle = event.cycle
      images = Set(batch.images)
      queued = []
    case .unaffected(let unaffected):
      let paths = Set(unaffected.changes.map(\.path))
      queued.removeAll { path in paths.contains { path == $0 || path.hasSuffix("/" + $0) } }
    case .build(let build):
      isBuilding = true
      images.formUnion(build.images)
      progress = nil
    case .lock: lockTold = now
    case .image(let image): add(image, at: now)
    case .progress(let progress):
      let load = Load(image: progress.image, runtime: progress.runtime)
      loads[load] = loads[load] ?? now - .seconds(1)
    case .rollout(let rollout):
      rollouts["\(rollout.image) → \(rollout.kind) \(rollout.target)"] =
        rollout.status == .started ? now : nil
    case .cycle(let ended):
      if case .cycle(let cause) = work, ended.status != .cancelled, ended.bazelCommands > 0 {
        remember(ended.timings.totalMs, of: cause)
      }
      end()
    default: break
    }
  }

  private mutating func add(_ image: Event.ImageChanged, at now: Duration) {
    switch image.status {
    case .built: break
    case .unchanged, .loaded, .live, .failed, .cancelled:
      doneImages.insert(image.image)
      if let runtime = image.runtime {
        loads[Load(image: image.image, runtime: runtime)] = nil
      } else {
        loads = loads.filter { $0.key.image != image.image }
      }
    }
  }

  /// Takes a line of Bazel's progress.
  mutating func add(progress line: String, at now: Duration) {
    lockTold = nil
    progress = (BazelProgress(line), line, now)
  }

  /// Bazel's build has ended; loads may still run.
  mutating func buildEnded() {
    isBuilding = false
    progress = nil
  }

  /// A question to Bazel outside a cycle begins or has ended.
  mutating func reading(_ isReading: Bool, at now: Duration) {
    if isReading, work == .none { begin(.query, at: now) }
    if !isReading, work == .query { end() }
  }

  /// A file was saved that the loop has not told of yet.
  mutating func saved(_ path: String) {
    if queued.count < Self.limit, !queued.contains(path) { queued.append(path) }
  }

  /// How long a cycle of a kind took; the kind is that of its cause.
  mutating func remember(_ ms: Int, of cause: String) {
    usual[cause] = Array(((usual[cause] ?? []) + [ms]).suffix(Self.remembered))
  }

  /// A first build and one that follows a save differ; among the others nothing is usual.
  static func kind(of cause: String) -> String { cause == "start" ? "start" : "change" }

  private mutating func begin(_ work: Work, at now: Duration) {
    self.work = work
    began = now
    cycle = nil
    (isBuilding, progress, lockTold) = (false, nil, nil)
    (images, doneImages, loads, rollouts) = ([], [], [:], [:])
  }

  private mutating func end() { begin(.none, at: .zero) }

  // MARK: What is told

  var isBusy: Bool { work != .none }

  /// What to tell now; `nil` where nothing runs.
  func activity(at now: Duration) -> Event.Activity? {
    guard work != .none else { return nil }
    let actions = progress?.line
    let phase = phase(at: now)
    let countsActions = phase == .build && actions != nil
    return Event.Activity(
      phase: phase, done: countsActions ? actions?.done ?? 0 : doneImages.count,
      total: countsActions ? actions?.total ?? 0 : images.count,
      running: running(at: now), queued: queued,
      elapsedMs: (now - began).milliseconds, usualMs: usualMs)
  }

  private func phase(at now: Duration) -> Event.Activity.Phase {
    if let lockTold, now - lockTold < .milliseconds(2500) { return .lock }
    switch work {
    case .start: return .start
    case .query: return .query
    case .none, .cycle: break
    }
    if isBuilding { return .build }
    if !rollouts.isEmpty { return .rollout }
    if !loads.isEmpty || !doneImages.isEmpty { return .load }
    // Before its build a cycle may ask for the index; that is told by its end only.
    return .query
  }

  private func running(at now: Duration) -> [Event.Activity.Running] {
    var running: [Event.Activity.Running] = []
    if let progress {
      let since = (now - progress.since).milliseconds
      if let line = progress.line {
        if let what = line.what {
          running.append(.init(what: what, ms: line.seconds * 1000 + since))
        }
      } else {
        running.append(.init(what: progress.text, ms: since))
      }
    }
    running += loads.map { load, start in
      .init(what: "\(load.image) → \(load.runtime)", ms: (now - start).milliseconds)
    }
    running += rollouts.map { .init(what: $0.key, ms: (now - $0.value).milliseconds) }
    return Array(running.sorted { ($1.ms, $0.what) < ($0.ms, $1.what) }.prefix(Self.limit))
  }

  private var usualMs: Int? {
    let kind =
      switch work {
      case .start: "start"
      case .cycle(let cause): cause
      case .query, .none: ""
      }
    guard let times = usual[kind]?.sorted(), !times.isEmpty else { return nil }
    return times[times.count / 2]
  }
}
