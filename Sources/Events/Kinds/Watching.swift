extension Event {
  /// The watcher sees changes from here on.
  package struct Watching: EventFields {
    package static let type = "watching"

    /// How many are watched.
    package var directories: Int
    /// How many lie in them.
    package var files: Int
    /// How changes are seen. One of `notify`, `poll`.
    package var trigger: String
    /// Why not all is watched as it should be.
    package var degraded: String?

    package init(directories: Int, files: Int, trigger: String, degraded: String? = nil) {
      self.directories = directories
      self.files = files
      self.trigger = trigger
      self.degraded = degraded
    }
  }
}
