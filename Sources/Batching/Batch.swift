package import Graph
package import SystemPackage
package import Watcher

/// What one batch window collected: the reason for one cycle.
package struct Batch: Hashable, Sendable {
  package enum Cause: String, Hashable, Sendable {
    case start, change, trigger, overflow, configuration, retry
  }

  package var cause: Cause
  private var collected: ChangeSet
  /// Looks at the changed paths, in their order; a path may come more than once.
  package var sightings: [Sighting]
  /// Deleted paths of no target that Bazel may have seen while they were there: a glob may have taken them in.
  package var passed: Set<FilePath> = []
  /// Names of images to build whether or not a change affects them.
  package var requested: Set<String>
  /// Changes were lost or can't be told: every image is to be built.
  package var affectsEverything: Bool
  /// Somebody asked for a build now: what is owed is built even where builds are held.
  package var isTriggered = false
  /// What was asked meanwhile, in its order. The loop answers it when the batch has been taken in.
  package var requests: [Request] = []
  /// Version control has held the window for as long as it may, and holds on.
  package var isHoldOverdue: Bool
  /// From the first change to the close.
  package var window: Duration

  package init(
    cause: Cause, changes: [FileChange] = [], sightings: [Sighting] = [],
    requested: Set<String> = [],
    affectsEverything: Bool = false, isHoldOverdue: Bool = false, window: Duration = .zero
  ) {
    self.cause = cause
    collected = ChangeSet(changes)
    self.sightings = sightings
    self.requested = requested
    self.affectsEverything = affectsEverything
    self.isHoldOverdue = isHoldOverdue
    self.window = window
  }

  /// Nothing changed and nothing is asked for.
  package var isEmpty: Bool { changes.isEmpty && requested.isEmpty && !affectsEverything }

  /// Files were saved, and there is no other reason for it.
  package var isPlainSave: Bool {
    cause == .change && !changes.isEmpty && requested.isEmpty && !affectsEverything && !isTriggered
  }

  /// One a path, in the order of their first appearance.
  package var changes: [FileChange] {
    get { collected.changes }
    set { collected = ChangeSet(newValue) }
  }

  mutating func take(_ changes: ChangeSet) { collected = changes }

  /// Takes in a later batch, so that one cycle answers both.
  package mutating func merge(_ later: Batch) {
    for change in later.changes { collected.add(change) }
    sightings += later.sightings
    passed.formUnion(later.passed)
    requested.formUnion(later.requested)
    affectsEverything = affectsEverything || later.affectsEverything
    isTriggered = isTriggered || later.isTriggered
    requests += later.requests
    isHoldOverdue = isHoldOverdue || later.isHoldOverdue
    window += later.window
    weigh(later.cause)
  }

  /// Names a cause, which is told if it is the weightier.
  mutating func weigh(_ other: Cause) {
    if other.weight > cause.weight { cause = other }
  }
}

extension Batch.Cause {
  /// Of two merged batches the weightier cause is told.
  fileprivate var weight: Int {
    switch self {
    case .retry: 0
    case .change: 1
    case .trigger: 2
    case .start: 3
    case .overflow: 4
    case .configuration: 5
    }
  }
}
