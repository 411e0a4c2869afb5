package import Batching
package import Events
import Graph
package import SystemPackage
package import Watcher

extension LoopState {
  /// How things are after a signal, for whoever asks.
  package struct Snapshot: Sendable {
    /// The loop's present work.
    package enum Activity: Sendable {
      case idle
      /// The configuration, or which images there are, is being read.
      case reading
      case building(Cycle)
    }

    /// The cycle under way.
    package struct Cycle: Sendable {
      package var number: Int
      package var cause: Batch.Cause
      /// At most 100; `changeCount` has them all.
      package var changes: [FileChange]
      package var changeCount: Int
      /// Images that it is to make.
      package var images: [String]
      package var isInterrupted: Bool
      /// Who holds Bazel's lock, where it is waited for.
      package var lock: Event.LockAwaited?
    }

    /// An image, and what is known of it.
    package struct Image: Sendable {
      package var name: String
      package var target: String
      /// Names in the runtime, as they are configured.
      package var references: [String]
      package var workspace: FilePath
      package var isFound: Bool
      /// Why it is owed; `nil`: it is what the files give.
      package var owed: DebtReason?
      package var latest: Result?
      /// The last that runtimes took.
      package var loaded: Result?
    }

    /// The result of an image in a cycle.
    package struct Result: Sendable {
      package var cycle: Int
      /// Seconds since 1970.
      package var time: Double
      /// One for each runtime, or one that is of none.
      package var events: [Event.ImageChanged]
    }

    /// Something that is tried again without any change.
    package struct Retry: Sendable {
      package var lane: Retries.Lane
      package var images: [String]
      /// Seconds since 1970; `nil`: nobody waits for it yet.
      package var time: Double?
    }

    /// The number of the latest cycle; 0: none has begun.
    package var cycle = 0
    package var activity = Activity.idle
    package var isReady = false
    package var isPaused = false
    /// Only a trigger builds.
    package var isManual = false
    /// Saves that wait: for the build under way, or for the end of a pause.
    package var waitingChanges = 0
    /// So many wait for an answer.
    package var waits = 0
    package var images: [Image] = []
    package var retries: [Retry] = []

    package init() {}

    package var owed: [Image] { images.filter { $0.owed != nil } }
  }

  package var snapshot: Snapshot {
    var snapshot = Snapshot()
    snapshot.cycle = cycles
    snapshot.isReady = isReady
    snapshot.isPaused = isPaused
    snapshot.isManual = isManual
    snapshot.waitingChanges = (waiting?.changes.count ?? 0) + (ignored?.changes.count ?? 0)
    snapshot.waits = waits.open.count
    snapshot.images = backlog.images.map(image)
    snapshot.retries = retries.images.map { lane, images in
      Snapshot.Retry(lane: lane, images: images.sorted())
    }
    switch phase {
    case .idle: break
    case .reading: snapshot.activity = .reading
    case .building(let running):
      let batch = running.start.batch
      snapshot.activity = .building(
        Snapshot.Cycle(
          number: running.start.number, cause: batch.cause,
          changes: Array(batch.changes.prefix(100)), changeCount: batch.changes.count,
          images: backlog.images.map(\.name).filter(running.start.owed.contains),
          isInterrupted: running.isInterrupted, lock: lockHolder))
    }
    return snapshot
  }

  private func image(_ target: ImageTarget) -> Snapshot.Image {
    let isOwed = backlog.pending.contains(target.name)
    return Snapshot.Image(
      name: target.name, target: target.label.description, references: target.references,
      workspace: target.key.workspace, isFound: target.isFound,
      owed: isOwed ? reasons[target.name] ?? .cause(.start) : nil,
      latest: results.latest(of: target.name).map(Snapshot.Result.init),
      loaded: results.loaded(of: target.name).map(Snapshot.Result.init))
  }
}

extension LoopState.Snapshot.Result {
  fileprivate init(_ entry: Results.Entry) {
    self.init(cycle: entry.cycle, time: entry.time, events: entry.events)
  }
}
