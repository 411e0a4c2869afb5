extension Event {
  /// Files were saved that no image depends on.
  package struct Unaffected: EventFields {
    package static let type = "unaffected"

    /// What was saved: at most 100 paths; `changeCount` counts all.
    package var changes: [BatchClosed.Change]
    /// How many paths there are in all.
    package var changeCount: Int

    package init(changes: [BatchClosed.Change], changeCount: Int) {
      self.changes = changes
      self.changeCount = changeCount
    }
  }
}
