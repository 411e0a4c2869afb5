package import Batching
import Events
package import SystemPackage
import Watcher

/// Why an image is owed.
package enum DebtReason: Hashable, Sendable {
  /// A file that it is made from has changed.
  case change(FilePath)
  /// Everything is owed once, changes were lost, somebody asked, the configuration is another.
  case cause(Batch.Cause)
  /// Its build failed, for what the files hold or for another reason.
  case buildFailed
  /// Bazel, or what it stands on, failed.
  case bazelFailed
  /// These runtimes have not taken it.
  case loadFailed([String])
  /// It is loaded, and does not run here.
  case rolloutFailed(String)
  /// It requires an image that is not there; its name, where it is known.
  case heldUp(by: String?)
  /// The build ended before it came to the image.
  case unfinished
}

/// The latest reason of each debt, for people.
struct DebtReasons: Sendable {
  /// So many changes of a batch are asked for their own images; the batch's cause has to do for the rest.
  private static let mostChanges = 64

  private var reasons: [String: DebtReason] = [:]

  subscript(image: String) -> DebtReason? { reasons[image] }

  /// A batch affects images.
  mutating func note(
    _ batch: Batch, affecting images: Set<String>, affected: (FilePath) -> Set<String>
  ) {
    var rest = images
    for change in batch.changes.prefix(Self.mostChanges) where !rest.isEmpty {
      for image in affected(change.path).intersection(rest) {
        reasons[image] = .change(change.path)
        rest.remove(image)
      }
    }
    for image in rest {
      // That something is tried again is no reason to owe it.
      if batch.cause == .retry, reasons[image] != nil { continue }
      if batch.cause == .change, let path = batch.changes.first?.path {
        reasons[image] = .change(path)
      } else {
        reasons[image] = .cause(batch.cause)
      }
    }
  }

  /// Takes in the work that a cycle has left undone.
  mutating func note(
    _ outcome: CycleOutcome, results: Results, unlessOwedAfter moment: PendingImages.Moment,
    in pending: PendingImages
  ) {
    let debts = pending.debts(of: pending.names)
    reasons = reasons.filter { debts[$0.key] != nil }
    for (image, debt) in debts where debt <= moment {
      if let runtimes = outcome.failedLoads[image] {
        reasons[image] = .loadFailed(runtimes.sorted())
      } else if let rollout = outcome.failedRollouts[image] {
        reasons[image] = .rolloutFailed(rollout.target)
      } else if outcome.failedBuilds.contains(image) {
        reasons[image] = .buildFailed
      } else if outcome.troubled.contains(image) {
        reasons[image] = .bazelFailed
      } else if outcome.heldUp.contains(image) {
        let other = results.latest(of: image)?.events.compactMap(\.heldUpBy).last
        reasons[image] = .heldUp(by: other)
      } else if outcome.unfinished.contains(image) {
        reasons[image] = .unfinished
      }
    }
  }
}
