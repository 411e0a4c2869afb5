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
    var isPrepared = false
  }

  /// In bytes; that of a large workspace takes some megabytes.
  private static let largestTrace = 32 << 20
  private static let cyclesKept = 20
  private static let runsKept = 3

  private let directory: FilePath
  private let state = Mutex(State())

  /// - Parameter directory: Where the runs lie; made with the first cycle that ends.
  package init(in directory: FilePath) {
    self.directory = directory.appending("run-\(getpid())")
  }

  /// Takes the events of the run, in their order.
  package func record(_ event: Event) {
    state.withLock { state in
      if case .batch = event.kind { state.builds = 0 }
      guard let profile = state.builder.add(event) else { return }
      prepare(&state)
      write(profile)
      state.kept.append(profile.cycle)
      for cycle in state.kept.dropLast(Self.cyclesKept) {
        for name in Self.names(in: directory)
        where name == "cycle-\(cycle).json" || name.hasPrefix("cycle-\(cycle)-") {
          unlink(directory.appending(name).string)
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
      prepare(&state)
      state.builds += 1
      let name = "cycle-\(cycle)-bazel-\(state.builds).json"
      let isKept = profile.map { Self.keep($0.file, as: directory.appending(name)) }
      state.builder.add(
        CycleProfile.Builder.EndedBuild(
          trace: isKept == true ? name : nil, elapsed: elapsed, lockWaited: lockWaited,
          phases: profile?.phases))
    }
  }

  private static func keep(_ trace: FilePath, as name: FilePath) -> Bool {
    var status = stat()
    guard lstat(trace.string, &status) == 0, status.st_size <= largestTrace else { return false }
    return rename(trace.string, name.string) == 0
  }

  private func write(_ profile: CycleProfile) {
    let path = directory.appending("cycle-\(profile.cycle).json")
    // See above: a profile that can't be kept is missing later, and nothing else.
    guard let data = try? CycleProfile.encoder.encode(profile),
      let file = try? FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow],
        permissions: .ownerReadWrite)
    else { return }
    _ = try? file.closeAfter { try file.writeAll(data) }
  }

  /// Makes the directory, once; runs that have ended go, but for the latest.
  private func prepare(_ state: inout State) {
    guard !state.isPrepared else { return }
    state.isPrepared = true
    // A process that has ended may have had our number.
    Self.remove(directory)
    let parent = directory.removingLastComponent()
    mkdir(parent.string, 0o700)
    mkdir(directory.string, 0o700)
    let ended = Self.runs(in: parent).filter { kill($0.process, 0) != 0 && errno == ESRCH }
    for run in ended.dropFirst(Self.runsKept) { Self.remove(run.path) }
  }

  private static func remove(_ run: FilePath) {
    for name in names(in: run) { unlink(run.appending(name).string) }
    rmdir(run.string)
  }

  private static func names(in directory: FilePath) -> [String] {
    var names: [String] = []
    DirectoryEntries.forEach(in: directory) { name, _ in names.append(String(cString: name)) }
    return names
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

  /// - Parameter directory: Where the runs lie.
  /// - Returns: The run whose last cycle ended last; `nil` when none has been kept.
  package static func latest(in directory: FilePath) -> Run? {
    for run in runs(in: directory) {
      let cycles = cycles(in: run.path)
      if !cycles.isEmpty { return Run(directory: run.path, cycles: cycles) }
    }
    return nil
  }

  private static func cycles(in directory: FilePath) -> [CycleProfile] {
    names(in: directory)
      .filter { $0.hasPrefix("cycle-") && !$0.contains("-bazel-") }
      .compactMap { name in
        // One that another version wrote, or that is being written, is left out.
        SmallFile.start(of: directory.appending(name), limit: 16 << 20).flatMap {
          try? CycleProfile.decoder.decode(CycleProfile.self, from: Data($0))
        }
      }
      .sorted { $0.cycle < $1.cycle }
  }

  /// The latest first.
  private static func runs(in directory: FilePath) -> [(path: FilePath, process: Int32)] {
    names(in: directory).compactMap { name in
      guard name.hasPrefix("run-"), let process = Int32(name.dropFirst(4)) else { return nil }
      let path = directory.appending(name)
      var status = stat()
      guard lstat(path.string, &status) == 0 else { return nil }
      let time = status.st_mtim
      return (path, process, Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
    .sorted { (left: (FilePath, Int32, Int64), right) in left.2 > right.2 }
    .map { ($0.0, $0.1) }
  }
}
