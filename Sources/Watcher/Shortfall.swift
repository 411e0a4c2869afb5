import Glibc
import SystemPackage

/// Reports what can't be watched, once for each reason, in words that help.
struct Shortfall {
  /// Stands for an error number where a directory is reachable by two paths.
  static let isMountedTwice: Int32 = -2

  /// Stands for an error number where the file system does not tell of all changes.
  static let isUnnotified: Int32 = -3
  /// Stands for an error number where a watched directory has a file that lies elsewhere.
  static let holdsMountedFile: Int32 = -4

  /// Tells whether a directory that failed so can't be polled either. Its parent tells of its mending.
  static func isBeyondReach(_ error: Int32) -> Bool { error == EACCES || error == ENAMETOOLONG }

  private var announced: Set<Int32> = []

  /// The reasons that were not said before. One that is mended is forgotten, to be said again.
  mutating func announce(_ failures: [WatchedTree.ID: Int32], of directories: Int) -> [String] {
    guard !failures.isEmpty || !announced.isEmpty else { return [] }
    let counts = Self.count(failures)
    announced.formIntersection(counts.keys)
    let new = counts.keys.filter { !announced.contains($0) }.sorted()
    announced.formUnion(new)
    return new.map { Self.reason($0, counts[$0] ?? 0, of: directories) }
  }

  /// All reasons that hold now; `nil` when all is watched.
  static func summary(_ failures: [WatchedTree.ID: Int32], of directories: Int) -> String? {
    let counts = count(failures)
    guard !counts.isEmpty else { return nil }
    return counts.keys.sorted().map { reason($0, counts[$0] ?? 0, of: directories) }
      .joined(separator: "; ")
  }

  private static func count(_ failures: [WatchedTree.ID: Int32]) -> [Int32: Int] {
    var counts: [Int32: Int] = [:]
    for error in failures.values where error != NoNotifier.isPolling {
      counts[error, default: 0] += 1
    }
    return counts
  }

  private static func reason(_ error: Int32, _ count: Int, of directories: Int) -> String {
    let subject = "\(count) of \(directories) directories"
    switch error {
    case ENOSPC:
      let limit = InotifyLimits.current.maxUserWatches.map {
        " (fs.inotify.max_user_watches = \($0))"
      }
      return """
        \(subject) are polled, because the limit of inotify watches\(limit ?? "") is reached; \
        to raise it: \(InotifyLimits.sysctl(forWatches: directories))
        """
    case EACCES:
      return """
        \(subject) can't be read: permission denied; changes in them aren't seen until they are \
        readable
        """
    case ENAMETOOLONG:
      return "\(subject) have paths that are too long for the kernel; changes in them aren't seen"
    case EMFILE, ENFILE:
      return "\(subject) are polled, because no file descriptor is left: raise 'ulimit -n'"
    case isMountedTwice:
      return "\(subject) are polled, because they are mounted at two places of the workspace"
    case isUnnotified:
      return "\(subject) are polled, because their file systems don't tell of all changes"
    case holdsMountedFile:
      return "\(subject) are polled, because files in them are mounted from elsewhere"
    default:
      return "\(subject) are polled, because they can't be watched: \(Errno(rawValue: error))"
    }
  }
}
