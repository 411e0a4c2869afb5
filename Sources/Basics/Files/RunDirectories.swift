import Glibc
import SystemPackage

/// A directory for each run, named after its process, of which the latest are kept.
package struct RunDirectories: Sendable {
  /// Runs that have ended and are kept.
  private static let limit = 3

  private let runs: PrivateDirectory
  private let name = "run-\(getpid())"

  /// - Parameter runs: Where the runs lie; made with the first thing that is kept.
  package init(in runs: PrivateDirectory) { self.runs = runs }

  /// This run's own directory.
  ///
  /// - Parameter isFirst: It is asked for the first time: what ended runs have left goes, but for the latest.
  /// - Returns: `nil` where it can't be made.
  package func own(isFirst: Bool) -> OpenDirectory? {
    // What can't be kept is missing later, and hurts nothing else.
    guard let open = try? runs.open() else { return nil }
    if isFirst {
      // A process that has ended may have had our number.
      Self.remove(name, from: open)
      let ended = Self.processes(in: open).filter { kill($0.process, 0) != 0 && errno == ESRCH }
      for run in ended.dropFirst(Self.limit) { Self.remove(run.name, from: open) }
    }
    return try? open.directory(name, isMaking: true)
  }

  private static func remove(_ run: String, from runs: OpenDirectory) {
    // What is not ours to open is not ours to empty.
    guard let directory = try? runs.directory(run, isMaking: false) else { return }
    for name in directory.names { directory.remove(name) }
    runs.remove(run)
  }

  /// The runs that are kept, the latest first.
  ///
  /// - Throws: `UntrustedFile`; `Errno`.
  package func all() throws -> [OpenDirectory] {
    guard let runs = try runs.openExisting() else { return [] }
    // One that is being removed is none any more.
    return Self.processes(in: runs).compactMap {
      try? runs.directory($0.name, isMaking: false)
    }
  }

  /// The runs, the latest first.
  private static func processes(in runs: OpenDirectory) -> [(name: String, process: Int32)] {
    runs.names.compactMap { name in
      guard name.hasPrefix("run-"), let process = Int32(name.dropFirst(4)),
        // One that has just been removed is none.
        let status = try? runs.status(of: name)
      else { return nil }
      let time = status.st_mtim
      return (name, process, Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
    .sorted { (left: (String, Int32, Int64), right) in left.2 > right.2 }
    .map { ($0.0, $0.1) }
  }
}
