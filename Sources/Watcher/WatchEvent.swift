package import SystemPackage

/// An event that a watcher tells its reader, in the order in which it happened.
package enum WatchEvent: Hashable, Sendable {
  case changed(FileChange)

  /// Changes were lost: the kernel's queue or our own buffer was full.
  ///
  /// The rescan that answers it reports what differs as `changed` after this event.
  case overflowed(reason: String)

  /// Part of the tree can't be watched; it is polled instead. Said once for each reason.
  case degraded(reason: String)

  /// The root itself was removed, renamed or unmounted. The watcher waits for its return.
  case rootLost(FilePath)

  /// There is a directory at the root's path again, or another than before.
  ///
  /// Differences from what was known are reported as `changed` beside this event.
  case rootReturned(FilePath)

  /// All that was changed before `mark` was called stands before this, all else after it.
  case marked(WatchMark)
}

/// A moment in the order of changes that somebody asked to be told of.
package enum WatchMark: Hashable, Sendable {
  /// A Bazel command of ours is about to start.
  case commandBegan
  /// A Bazel command of ours has ended.
  case commandEnded
  /// Somebody asks something; the number tells what.
  case asked(Int)
}
