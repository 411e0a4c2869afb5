package import FoundationEssentials
import Graph

/// One thing that happened, as every face of watchbuild sees it: terminal, JSON, profile, sockets.
///
/// Encoded as one flat JSON object: `seq`, `time`, `type`, `cycle`, and the fields of its kind.
/// Fields are only ever added; `docs/events.md` has them all.
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

  /// Each in a box of its own, because thousands are kept and most kinds are small.
  package indirect enum Kind: Sendable {
    case started(Started)
    case watching(Watching)
    case ready
    case unaffected(Unaffected)
    case images(ImagesChanged)
    case activity(Activity)
    case batch(BatchClosed)
    case index(Indexed)
    case build(BuildStarted)
    case lock(LockAwaited)
    case cacheDiscarded(CacheDiscarded)
    case diagnostic(Diagnosed)
    case image(ImageChanged)
    case progress(LoadProgressed)
    case rollout(RolledOut)
    case hook(HookRan)
    case cycle(CycleEnded)
    case degraded(reason: String)
    case overflow(reason: String)
    case paused(reason: String)
    case resumed(reason: String)
    case stopping(reason: String)
    case missed(Missed)
  }
}

/// The fields of one type of event.
package protocol EventFields: Sendable, Encodable {
  /// The name in the `type` field.
  static var type: String { get }
}

extension Event.Kind {
  package var fields: any EventFields {
    switch self {
    case .started(let fields): fields
    case .watching(let fields): fields
    case .ready: Event.Ready()
    case .unaffected(let fields): fields
    case .images(let fields): fields
    case .activity(let fields): fields
    case .batch(let fields): fields
    case .index(let fields): fields
    case .build(let fields): fields
    case .lock(let fields): fields
    case .cacheDiscarded(let fields): fields
    case .diagnostic(let fields): fields
    case .image(let fields): fields
    case .progress(let fields): fields
    case .rollout(let fields): fields
    case .hook(let fields): fields
    case .cycle(let fields): fields
    case .degraded(let reason): Event.Degraded(reason: reason)
    case .overflow(let reason): Event.Overflow(reason: reason)
    case .paused(let reason): Event.Paused(reason: reason)
    case .resumed(let reason): Event.Resumed(reason: reason)
    case .stopping(let reason): Event.Stopping(reason: reason)
    case .missed(let fields): fields
    }
  }
}
