/// The state of everything that the run needs: Bazel, watches, runtimes, disks.
package struct Health: Equatable, Encodable, Sendable {
  package struct Lock: Equatable, Encodable, Sendable {
    var process: Int?
    var command: String?
    var waitedMs: Int
  }

  package struct Watches: Equatable, Encodable, Sendable {
    var directories: Int
    /// Of the user; `nil` where it can't be read, or files are polled.
    var limit: Int?
    var trigger: String
    var degraded: String?
  }

  package struct Runtime: Equatable, Encodable, Sendable {
    package var name: String
    /// Why loads into it fail; `nil`: none does.
    package var trouble: String?
    /// RFC 3339: when it is tried again.
    package var retry: String?
  }

  package struct Disk: Equatable, Encodable, Sendable {
    package var what: String
    package var path: String
    package var freeBytes: Int64
    package var totalBytes: Int64

    package init(what: String, path: String, freeBytes: Int64, totalBytes: Int64) {
      self.what = what
      self.path = path
      self.freeBytes = freeBytes
      self.totalBytes = totalBytes
    }
  }

  /// `cold`: it has built nothing yet; `warm`; `restarted`: it was started anew in the latest cycle.
  package var server: String
  package var lock: Lock?
  package var watches: Watches?
  package var runtimes: [Runtime]
  package var disks: [Disk]
  /// Why less is seen than could be.
  package var degraded: [String]
  package var paused: Bool
  /// Saves that wait for the build under way, or for the end of a pause.
  package var waitingChanges: Int
}

/// Facts of the machine that the page shows.
package struct Surroundings: Equatable, Sendable {
  package var watchLimit: Int?
  package var disks: [Health.Disk]

  package init(watchLimit: Int? = nil, disks: [Health.Disk] = []) {
    self.watchLimit = watchLimit
    self.disks = disks
  }
}
