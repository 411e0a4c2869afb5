/// Something that says when a directory changes: inotify, or nothing at all where one polls.
protocol DirectoryNotifier {
  /// Begins to watch the directory itself; a symbolic link is refused. Anchors also tell of their
  /// own removal and renaming.
  /// The descriptor is of what was found under the path when it was opened.
  mutating func watch(
    _ path: UnsafePointer<CChar>, _ directory: Int32, isAnchor: Bool
  ) -> WatchOutcome

  /// All watches, each with the inode of its directory.
  func forEachWatch(_ body: (_ watch: Int32, _ inode: UInt64) -> Void)

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

  func watch(
    _ path: UnsafePointer<CChar>, _ directory: Int32, isAnchor: Bool
  ) -> WatchOutcome {
    .failed(Self.isPolling)
  }

  func forEachWatch(_ body: (_ watch: Int32, _ inode: UInt64) -> Void) {}

  func unwatch(_ watch: Int32) {}
}
