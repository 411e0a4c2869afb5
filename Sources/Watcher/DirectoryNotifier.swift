/// Something that says when a directory changes: inotify, or nothing at all where one polls.
protocol DirectoryNotifier {
  /// Begins to watch the directory itself; a symbolic link is refused. Anchors also tell of their
  /// own removal and renaming.
  mutating func watch(_ path: UnsafePointer<CChar>, isAnchor: Bool) -> WatchOutcome

  /// Does nothing where the kernel has dropped the watch itself.
  mutating func unwatch(_ watch: Int32)
}

enum WatchOutcome {
  case watched(Int32)
  /// The directory is watched under another path already: renamed a moment ago, or mounted twice.
  case alreadyWatched(Int32)
  /// An error number.
  case failed(Int32)
}

/// For polling: no directory is ever watched.
struct NoNotifier: DirectoryNotifier {
  static let isPolling: Int32 = -1

  func watch(_ path: UnsafePointer<CChar>, isAnchor: Bool) -> WatchOutcome {
    .failed(Self.isPolling)
  }

  func unwatch(_ watch: Int32) {}
}
