import Basics
import SystemPackage
import Watcher

/// Whether the kernel allows a Bazel server to watch a whole workspace beside all that is watched already.
enum WatchRoom {
  /// So large a part of what a user may watch is left to others.
  private static let share = 4

  /// Counts the directories, `.git` and the like too, because Bazel does.
  static func isEnough(for workspace: FilePath, limits: InotifyLimits = .current) -> Bool {
    guard let most = limits.maxUserWatches, FileSystemKind.withoutNotification(at: workspace) == nil
    else { return false }
    // It is watched by us, too.
    return isEnough(directories: directories(in: workspace, limit: most), limit: most)
  }

  static func isEnough(directories: Int, limit: Int) -> Bool {
    directories < (limit - limit / share) / 2
  }

  private static func directories(in root: FilePath, limit: Int) -> Int {
    var count = 0
    var pending = [root]
    while let directory = pending.popLast(), count < limit {
      count += 1
      DirectoryEntries.forEach(in: directory) { name, kind in
        if kind == .directory { pending.append(directory.appending(String(cString: name))) }
      }
    }
    return count
  }
}
