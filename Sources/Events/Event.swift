package import Bazel
package import FoundationEssentials
import Graph

/// One thing that happened, as every face of watchbuild sees it: terminal, JSON, profile.
///
/// Encoded as one flat JSON object: `seq`, `time`, `type`, `cycle`, and the fields of its kind.
/// Fields are only ever added.
package struct Event: Sendable {
  /// 1, 2, 3 … within one run.
  package var sequence: Int
  package var time: Date
  /// The cycle that it belongs to.
  package var cycle: Int?
  package var kind: Kind

  package init(sequence: Int, time: Date, cycle: Int?, kind: Kind) {
    self.sequence = sequence
    self.time = time
    self.cycle = cycle
    self.kind = kind
  }

  package enum Kind: Sendable {
    case started(Started)
    case watching(Watching)
    case ready
    case unaffected(Unaffected)
    case batch(BatchClosed)
    case index(Indexed)
    case build(BuildStarted)
    case lock(LockAwaited)
    case cacheDiscarded(CacheDiscarded)
    case diagnostic(Diagnosed)
    case image(ImageChanged)
    case progress(LoadProgressed)
    case cycle(CycleEnded)
    case degraded(reason: String)
    case overflow(reason: String)
    case stopping(reason: String)
  }
}

extension Event {
  package struct Started: Sendable, Encodable {
    package struct Image: Sendable, Encodable {
      package var name: String
      package var target: String
      package var ref: String?

      package init(name: String, target: String, ref: String?) {
        self.name = name
        self.target = target
        self.ref = ref
      }
    }

    package var version: String
    package var workspace: String
    package var images: [Image]
    package var runtimes: [String]

    package init(version: String, workspace: String, images: [Image], runtimes: [String]) {
      self.version = version
      self.workspace = workspace
      self.images = images
      self.runtimes = runtimes
    }
  }

  package struct Watching: Sendable, Encodable {
    package var directories: Int
    package var files: Int
    /// `notify` or `poll`.
    package var trigger: String
    package var degraded: String?

    package init(directories: Int, files: Int, trigger: String, degraded: String? = nil) {
      self.directories = directories
      self.files = files
      self.trigger = trigger
      self.degraded = degraded
    }
  }

  /// A batch window closed and its cycle begins.
  package struct BatchClosed: Sendable, Encodable {
    package struct Change: Sendable, Encodable {
      /// Relative to the workspace where it lies in it.
      package var path: String
      package var kind: String

      package init(path: String, kind: String) {
        self.path = path
        self.kind = kind
      }
    }

    /// `start`, `change`, `trigger`, `overflow`, `configuration`, `retry`.
    package var cause: String
    /// At most 100; `changeCount` has them all.
    package var changes: [Change]
    package var changeCount: Int
    /// Names of the images to be built.
    package var images: [String]
    package var windowMs: Int

    package init(
      cause: String, changes: [Change], changeCount: Int, images: [String], windowMs: Int
    ) {
      self.cause = cause
      self.changes = changes
      self.changeCount = changeCount
      self.images = images
      self.windowMs = windowMs
    }
  }

  /// Saves that no image depends on.
  package struct Unaffected: Sendable, Encodable {
    /// At most 100; `changeCount` has them all.
    package var changes: [BatchClosed.Change]
    package var changeCount: Int

    package init(changes: [BatchClosed.Change], changeCount: Int) {
      self.changes = changes
      self.changeCount = changeCount
    }
  }

  package struct Indexed: Sendable, Encodable {
    package var reason: String
    package var files: Int
    package var images: Int
    package var ms: Int
    package var partial: Bool

    package init(reason: String, files: Int, images: Int, ms: Int, partial: Bool) {
      self.reason = reason
      self.files = files
      self.images = images
      self.ms = ms
      self.partial = partial
    }
  }

  package struct BuildStarted: Sendable, Encodable {
    package var targets: [String]
    package var images: [String]
    package var key: String
    /// The argument vector.
    package var command: [String]

    package init(targets: [String], images: [String], key: String, command: [String]) {
      self.targets = targets
      self.images = images
      self.key = key
      self.command = command
    }
  }

  package struct LockAwaited: Sendable, Encodable {
    package struct Holder: Sendable, Encodable {
      package var pid: Int
      package var command: String?

      package init(pid: Int, command: String?) {
        self.pid = pid
        self.command = command
      }
    }

    package var holder: Holder?
    package var waitedMs: Int

    package init(holder: Holder?, waitedMs: Int) {
      self.holder = holder
      self.waitedMs = waitedMs
    }
  }

  package struct CacheDiscarded: Sendable, Encodable {
    /// `server` where it is the server that was started anew.
    package var option: String
    package var message: String
    /// The command that had other options, where it can be told.
    package var cause: String?

    package init(option: String, message: String, cause: String? = nil) {
      self.option = option
      self.message = message
      self.cause = cause
    }
  }

  package struct Diagnosed: Sendable, Encodable {
    package var image: String?
    package var target: String?
    package var file: String
    package var line: Int
    package var column: Int?
    package var severity: Diagnostic.Severity
    package var message: String

    package init(_ diagnostic: Diagnostic, image: String?) {
      self.image = image
      target = diagnostic.target?.description
      file = diagnostic.file
      line = diagnostic.line
      column = diagnostic.column
      severity = diagnostic.severity
      message = diagnostic.message
    }
  }

  package struct ImageChanged: Sendable, Encodable {
    package enum Status: String, Sendable, Encodable {
      case built, unchanged, loaded, live, failed, cancelled
    }

    package var image: String
    package var target: String
    package var status: Status
    /// The first of its names.
    package var ref: String?
    /// All its names.
    package var refs: [String]?
    package var id: String?
    package var runtime: String?
    package var bytesSent: Int64?
    package var layersSent: Int?
    package var layersTotal: Int?
    package var ms: Int?
    package var error: String?
    /// Told of a built image that is made in another way than the best, and why.
    package var note: String?
    /// The image that this one requires and waits for; its status is `cancelled`.
    package var heldUpBy: String?

    package init(image: String, target: String, status: Status) {
      self.image = image
      self.target = target
      self.status = status
    }
  }

  /// How far a load has got that takes longer than a second; told every second.
  package struct LoadProgressed: Sendable, Encodable {
    package var image: String
    package var runtime: String
    package var ref: String
    package var bytesSent: Int64
    /// Of what is to be sent, as far as is known: a fallback adds to it.
    package var bytesTotal: Int64
    package var bytesPerSecond: Int64
    /// Of those that are sent; what the runtime has is not counted.
    package var layersSent: Int
    package var layersTotal: Int

    package init(
      image: String, runtime: String, ref: String, bytesSent: Int64, bytesTotal: Int64,
      bytesPerSecond: Int64, layersSent: Int, layersTotal: Int
    ) {
      self.image = image
      self.runtime = runtime
      self.ref = ref
      self.bytesSent = bytesSent
      self.bytesTotal = bytesTotal
      self.bytesPerSecond = bytesPerSecond
      self.layersSent = layersSent
      self.layersTotal = layersTotal
    }
  }

  package struct CycleEnded: Sendable, Encodable {
    package enum Status: String, Sendable, Codable { case ok, failed, cancelled }

    package struct Timings: Hashable, Sendable, Codable {
      package var windowMs = 0
      package var planMs = 0
      package var lockMs = 0
      package var bazelMs = 0
      package var loadMs = 0
      package var rolloutMs = 0
      package var totalMs = 0

      package init() {}
    }

    package var status: Status
    package var ok: Int
    package var failed: Int
    /// Images that wait for others, which they require.
    package var heldUp: Int
    /// Names.
    package var failedImages: [String]
    package var timings: Timings
    package var bazelCommands: Int
    /// What the cycle's builds spent `bazelMs` with, where Bazel's profile tells.
    package var phases: BazelPhases?
    /// What a discarded cache cost: `bazelMs` beyond that of the last warm cycle.
    package var cacheCostMs: Int?

    package init(
      status: Status, ok: Int, failed: Int, heldUp: Int = 0, failedImages: [String] = [],
      timings: Timings, bazelCommands: Int, phases: BazelPhases? = nil, cacheCostMs: Int? = nil
    ) {
      self.status = status
      self.ok = ok
      self.failed = failed
      self.heldUp = heldUp
      self.failedImages = failedImages
      self.timings = timings
      self.bazelCommands = bazelCommands
      self.phases = phases
      self.cacheCostMs = cacheCostMs
    }
  }
}
