extension Event {
  /// A batch window has closed, and a cycle begins.
  package struct BatchClosed: EventFields {
    package static let type = "batch"

    package struct Change: Sendable, Encodable {
      /// Relative to its workspace where it lies in one.
      package var path: String
      /// What became of the file.
      package var kind: String

      package init(path: String, kind: String) {
        self.path = path
        self.kind = kind
      }
    }

    /// Why. One of `start`, `change`, `trigger`, `overflow`, `configuration`, `retry`.
    package var cause: String
    /// What was saved: at most 100 paths; `changeCount` counts all.
    package var changes: [Change]
    /// How many paths there are in all.
    package var changeCount: Int
    /// Names of the images to be built.
    package var images: [String]
    /// From the first change to the end of the window.
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
}
