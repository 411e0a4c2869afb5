import Batching
package import Events
package import FoundationEssentials
package import Runner
package import SystemPackage
import Watcher

/// How things are, as `watchbuild status --json` and the control socket tell it.
package struct StatusReport: Encodable, Sendable {
  package struct Change: Encodable, Sendable {
    package var path: String
    package var kind: String
  }

  /// The cycle under way.
  package struct Running: Encodable, Sendable {
    package var cycle: Int
    package var cause: String
    /// At most 100; `changeCount` has them all.
    package var changes: [Change]
    package var changeCount: Int
    package var images: [String]
    package var interrupted: Bool
  }

  /// Why an image is not what the files give.
  package struct Owed: Encodable, Sendable {
    /// `change`, `failed`, `bazelFailed`, `loadFailed`, `rolloutFailed`, `heldUp`, `unfinished`, or the cause of a batch.
    package var reason: String
    package var path: String?
    package var runtimes: [String]?
    package var by: String?
    /// The same for people.
    package var text: String
  }

  /// The result of an image in a cycle.
  package struct Result: Encodable, Sendable {
    package var cycle: Int
    package var time: String
    package var events: [Event.ImageChanged]
  }

  package struct Image: Encodable, Sendable {
    package var name: String
    package var target: String
    package var refs: [String]
    package var found: Bool
    package var current: Bool
    package var owed: Owed?
    package var last: Result?
    package var loaded: Result?
  }

  package struct Retry: Encodable, Sendable {
    /// `bazel`, `load`, `rollout`, `configuration`, `selfWritten`.
    package var what: String
    package var runtime: String?
    package var images: [String]
    package var time: String?
  }

  package struct Window: Encodable, Sendable {
    package var changes: Int
    package var openMs: Int

    package init(changes: Int, openMs: Int) {
      self.changes = changes
      self.openMs = openMs
    }
  }

  package struct Versions: Encodable, Sendable {
    package var watchbuild: String
    /// The version of this interface: `/v1`.
    package var api = 1
    /// As the latest build told it; left out before, and where Bazel does not tell, as Debian's.
    package var bazel: String?
  }

  /// `starting`, `reading`, `building`, `paused` or `idle`.
  package var state: String
  package var ready: Bool
  package var paused: Bool
  /// `notify`, `poll` or `manual`.
  package var trigger: String
  /// How changes are seen, where less than all is.
  package var degraded: [String]
  package var workspace: String
  package var pid: Int32
  package var started: String
  package var versions: Versions
  /// The number of the latest event.
  package var seq: Int
  /// The number of the latest cycle; 0: none has begun.
  package var cycle: Int
  package var running: Running?
  /// Who holds Bazel's lock, where it is waited for.
  package var lock: Event.LockAwaited?
  package var window: Window?
  /// Changes that wait for the build under way, or for the end of a pause.
  package var waitingChanges: Int
  /// So many clients wait for an answer.
  package var waits: Int
  /// The address of the dashboard, with its token; left out where there is none.
  package var dashboard: String?
  package var images: [Image]
  /// Names of those that are not what the files give.
  package var owed: [String]
  package var retries: [Retry]

  /// The facts of a run that do not change.
  package struct Run: Sendable {
    package var version: String
    package var workspace: FilePath
    package var process: Int32
    package var start: Date
    package var trigger: String

    package init(
      version: String, workspace: FilePath, process: Int32, start: Date, trigger: String
    ) {
      self.version = version
      self.workspace = workspace
      self.process = process
      self.start = start
      self.trigger = trigger
    }
  }

  /// - Parameters:
  ///   - run: The facts that do not change.
  ///   - loop: The loop's snapshot; `nil`: it does not run yet.
  ///   - window: The open batch window, if one is.
  ///   - degraded: Why less is seen than could be.
  ///   - seq: The number of the latest event.
  package init(
    _ run: Run, loop: LoopState.Snapshot?, window: Window?, degraded: [String], seq: Int
  ) {
    let loop = loop ?? LoopState.Snapshot()
    let isStarted = !loop.images.isEmpty
    (paused, ready, trigger) = (loop.isPaused, loop.isReady, run.trigger)
    self.degraded = degraded
    workspace = run.workspace.string
    pid = run.process
    started = Self.text(run.start)
    versions = Versions(watchbuild: run.version)
    self.seq = seq
    cycle = loop.cycle
    self.window = window
    waitingChanges = loop.waitingChanges
    waits = loop.waits
    images = loop.images.map { Image($0) }
    owed = loop.owed.map(\.name)
    retries = loop.retries.map(Retry.init)
    switch loop.activity {
    case .idle: state = !isStarted ? "starting" : loop.isPaused ? "paused" : "idle"
    case .reading: state = "reading"
    case .building(let cycle):
      state = "building"
      lock = cycle.lock
      running = Running(
        cycle: cycle.number, cause: cycle.cause.rawValue,
        changes: cycle.changes.map {
          Change(path: Self.shown($0.path, in: run.workspace), kind: $0.kind.rawValue)
        },
        changeCount: cycle.changeCount, images: cycle.images, interrupted: cycle.isInterrupted)
    }
  }

  fileprivate static func text(_ time: Date) -> String {
    time.formatted(.event)
  }

  fileprivate static func shown(_ path: FilePath, in workspace: FilePath) -> String {
    var path = path
    _ = path.removePrefix(workspace)
    return path.string
  }
}

extension StatusReport.Image {
  init(_ image: LoopState.Snapshot.Image) {
    self.init(
      name: image.name, target: image.target, refs: image.references, found: image.isFound,
      current: image.owed == nil,
      owed: image.owed.map { StatusReport.Owed($0, in: image.workspace) },
      last: image.latest.map(StatusReport.Result.init),
      loaded: image.loaded.map(StatusReport.Result.init))
  }
}

extension StatusReport.Result {
  init(_ result: LoopState.Snapshot.Result) {
    self.init(
      cycle: result.cycle, time: StatusReport.text(Date(timeIntervalSince1970: result.time)),
      events: result.events)
  }
}

extension StatusReport.Retry {
  init(_ retry: LoopState.Snapshot.Retry) {
    let (what, runtime): (String, String?) =
      switch retry.lane {
      case .bazel: ("bazel", nil)
      case .runtime(let name): ("load", name)
      case .rollout(let target): ("rollout", target)
      case .reading: ("configuration", nil)
      case .selfWritten: ("selfWritten", nil)
      }
    self.init(
      what: what, runtime: runtime, images: retry.images,
      time: retry.time.map { StatusReport.text(Date(timeIntervalSince1970: $0)) })
  }
}

extension StatusReport.Owed {
  init(_ reason: DebtReason, in workspace: FilePath) {
    switch reason {
    case .change(let path):
      let path = StatusReport.shown(path, in: workspace)
      self.init(reason: "change", path: path, text: "\(path) changed")
    case .cause(let cause):
      let text =
        switch cause {
        case .start: "everything is built once at start"
        case .change: "files changed"
        case .trigger: "somebody asked for it"
        case .overflow: "changes were lost"
        case .configuration: "the configuration changed"
        case .retry: "it is tried again"
        }
      self.init(reason: cause.rawValue, text: text)
    case .buildFailed: self.init(reason: "failed", text: "its build failed")
    case .bazelFailed:
      self.init(reason: "bazelFailed", text: "Bazel, or what it stands on, failed")
    case .loadFailed(let runtimes):
      self.init(
        reason: "loadFailed", runtimes: runtimes,
        text: "\(runtimes.joined(separator: ", ")) did not take it")
    case .rolloutFailed(let target):
      self.init(
        reason: "rolloutFailed", path: nil, runtimes: nil, by: target,
        text: "\(target) does not run it")
    case .heldUp(let other):
      self.init(
        reason: "heldUp", by: other,
        text: "it requires \(other ?? "another image"), which is not there")
    case .unfinished: self.init(reason: "unfinished", text: "the build ended before it")
    }
  }
}
