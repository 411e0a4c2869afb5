package import Basics
import Bazel
package import Events
import FoundationEssentials
import Glibc
import Synchronization
package import SystemPackage

/// Keeps the profiles of a run's latest cycles, and the traces that Bazel left of them, on disk.
///
/// A directory for each run, named after its process. What can't be written is missing from
/// `watchbuild profile` and hurts nothing else, so errors are not reported.
package final class ProfileStore: Sendable {
  private struct State {
    var builder = CycleProfile.Builder()
    var builds = 0
    /// Cycles on disk.
    var kept: [Int] = []
    var isTidy = false
  }

  /// In bytes; that of a large workspace takes some megabytes.
  private static let largestTrace = 32 << 20
  private static let cyclesKept = 20
  private static let runsKept = 3

  private let runs: PrivateDirectory
  private let name = "run-\(getpid())"
  private let state = Mutex(State())

  /// - Parameter runs: Where the runs lie; made with the first cycle that ends.
  package init(in runs: PrivateDirectory) {
    self.runs = runs
  }

  /// Takes the events of the run, in their order.
  package func record(_ event: Event) {
    state.withLock { state in
      if case .batch = event.kind { state.builds = 0 }
      guard let profile = state.builder.add(event) else { return }
      guard let directory = directory(&state) else { return }
      write(profile, to: directory)
      state.kept.append(profile.cycle)
      for cycle in state.kept.dropLast(Self.cyclesKept) {
        for name in directory.names
        where name == "cycle-\(cycle).json" || name.hasPrefix("cycle-\(cycle)-") {
          directory.remove(name)
        }
      }
      state.kept = state.kept.suffix(Self.cyclesKept)
    }
  }

  /// Takes a build's end, before the events that follow it; the trace is moved here.
  func add(
    _ profile: BazelProfile?, cycle: Int, elapsed: Duration, lockWaited: Duration
  ) {
    state.withLock { state in
      state.builds += 1
      let name = "cycle-\(cycle)-bazel-\(state.builds).json"
      let directory = directory(&state)
      let isKept = profile.map { Self.keep($0.file, as: name, in: directory) }
      state.builder.add(
        CycleProfile.Builder.EndedBuild(
          trace: isKept == true ? name : nil, elapsed: elapsed, lockWaited: lockWaited,
          phases: profile?.phases))
    }
  }

  private static func keep(
    _ trace: FilePath, as name: String, in directory: OpenDirectory?
  ) -> Bool {
    var status = stat()
    guard let directory, lstat(trace.string, &status) == 0, status.st_size <= largestTrace else {
      return false
    }
    // See above: a trace that can't be kept is missing later, and nothing else.
    return (try? directory.move(trace, to: name)) != nil
  }

  private func write(_ profile: CycleProfile, to directory: OpenDirectory) {
    // As above.
    guard let data = try? CycleProfile.encoder.encode(profile) else { return }
    try? directory.replace("cycle-\(profile.cycle).json", with: data)
  }

  /// The run's own. With the first, runs that have ended go, but for the latest.
  ///
  /// - Returns: `nil` where it can't be made.
  private func directory(_ state: inout State) -> OpenDirectory? {
    // As above.
    guard let runs = try? runs.open() else { return nil }
    if !state.isTidy {
      state.isTidy = true
      // A process that has ended may have had our number.
      Self.remove(name, from: runs)
      let ended = Self.processes(in: runs).filter { kill($0.process, 0) != 0 && errno == ESRCH }
      for run in ended.dropFirst(Self.runsKept) { Self.remove(run.name, from: runs) }
    }
    return try? runs.directory(name, isMaking: true)
  }

  private static func remove(_ run: String, from runs: OpenDirectory) {
    // What is not ours to open is not ours to empty.
    guard let directory = try? runs.directory(run, isMaking: false) else { return }
    for name in directory.names { directory.remove(name) }
    runs.remove(run)
  }
}

// MARK: - Reading

extension ProfileStore {
  /// The latest run's cycles.
  package struct Run: Sendable {
    /// Holds the traces that the cycles name.
    package var directory: FilePath
    /// In their order.
    package var cycles: [CycleProfile]
  }

  /// - Parameter runs: Where the runs lie.
  /// - Returns: The run whose last cycle ended last; `nil` when none has been kept.
  /// - Throws: `UntrustedFile`; `Errno`.
  package static func latest(in runs: PrivateDirectory) throws -> Run? {
    guard let runs = try runs.openExisting() else { return nil }
    for run in processes(in: runs) {
      // One that is being removed is none any more.
      guard let directory = try? runs.directory(run.name, isMaking: false) else { continue }
      let cycles = cycles(in: directory)
      if !cycles.isEmpty { return Run(directory: directory.path, cycles: cycles) }
    }
    return nil
  }

  private static func cycles(in directory: OpenDirectory) -> [CycleProfile] {
    directory.names
      .filter { $0.hasPrefix("cycle-") && !$0.contains("-bazel-") }
      .compactMap { name in
        // One that another version wrote, or that is not ours, is left out.
        (try? directory.read(name, limit: 16 << 20)).flatMap {
          try? CycleProfile.decoder.decode(CycleProfile.self, from: Data($0))
        }
      }
      .sorted { $0.cycle < $1.cycle }
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
