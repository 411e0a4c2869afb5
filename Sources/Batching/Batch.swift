import SystemPackage
package import Watcher

/// What one batch window collected: the reason for one cycle.
package struct Batch: Hashable, Sendable {
  package enum Cause: String, Hashable, Sendable {
    case start, change, trigger, overflow, configuration
  }

  package var cause: Cause
  /// One a path, in the order of their first appearance.
  package var changes: [FileChange]
  /// Names of images to build whether or not a change affects them.
  package var requested: Set<String>
  /// Changes were lost or can't be told: every image is to be built.
  package var affectsEverything: Bool
  /// Version control has held the window for as long as it may, and holds on.
  package var isHoldOverdue: Bool
  /// From the first change to the close.
  package var window: Duration

  package init(
    cause: Cause, changes: [FileChange] = [], requested: Set<String> = [],
    affectsEverything: Bool = false, isHoldOverdue: Bool = false, window: Duration = .zero
  ) {
    self.cause = cause
    self.changes = changes
    self.requested = requested
    self.affectsEverything = affectsEverything
    self.isHoldOverdue = isHoldOverdue
    self.window = window
  }

  /// Takes in a later batch, so that one cycle answers both.
  package mutating func merge(_ later: Batch) {
    var coalesced = ChangeSet(changes)
    for change in later.changes { coalesced.add(change) }
    changes = coalesced.changes
    requested.formUnion(later.requested)
    affectsEverything = affectsEverything || later.affectsEverything
    isHoldOverdue = isHoldOverdue || later.isHoldOverdue
    window += later.window
    if later.cause.weight > cause.weight { cause = later.cause }
  }
}

extension Batch.Cause {
  /// Of two merged batches the weightier cause is told.
  fileprivate var weight: Int {
    switch self {
    case .change: 0
    case .trigger: 1
    case .start: 2
    case .overflow: 3
    case .configuration: 4
    }
  }
}
