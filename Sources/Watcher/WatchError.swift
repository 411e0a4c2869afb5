package import SystemPackage

/// Why there is no watcher.
package enum WatchError: Error, Hashable, CustomStringConvertible {
  /// libinotifytools keeps its state once per process.
  case alreadyRunning
  /// `fs.inotify.max_user_instances` is used up.
  case tooManyInstances(limit: Int?)
  /// The process has no descriptor left, or none below 1024, which `select` needs.
  case noDescriptor
  case notADirectory(FilePath, Errno)
  case unavailable(Errno)
  /// The watcher was stopped before it could answer.
  case stopped

  /// True if the same directories can be watched by polling.
  package var leavesPolling: Bool {
    switch self {
    case .tooManyInstances, .noDescriptor, .unavailable: true
    case .alreadyRunning, .notADirectory, .stopped: false
    }
  }

  package var description: String {
    switch self {
    case .alreadyRunning:
      "a file watcher already runs in this process: stop it before starting another"
    case .tooManyInstances(let limit):
      """
      no inotify instance is left for this user\
      \(limit.map { " (fs.inotify.max_user_instances = \($0))" } ?? ""): \
      end other watching programs, or run 'sudo sysctl fs.inotify.max_user_instances=\
      \(max(512, (limit ?? 128) * 4))'
      """
    case .noDescriptor:
      "no file descriptor below 1024 is left for inotify: raise 'ulimit -n' or close some files"
    case .notADirectory(let path, let error):
      "\(path): can't be watched: \(error); name a directory that exists and is readable"
    case .unavailable(let error):
      "inotify can't be used here: \(error); ask for polling with --trigger poll"
    case .stopped:
      "the file watcher has been stopped"
    }
  }
}
