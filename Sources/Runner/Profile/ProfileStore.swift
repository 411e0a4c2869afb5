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
    /// Builds that have ended, by the cycle that they belong to; its end may be read later.
    var ended: [Int: [CycleProfile.Builder.EndedBuild]] = [:]
    /// Cycles on disk.
    var kept: [Int] = []
    var isTidy = false
  }

  /// In bytes; that of a large workspace takes some megabytes.
  private static let largestTrace = 32 << 20
  private static let cyclesKept = 20

  private let runs: RunDirectories
  private let state = Mutex(State())

  /// - Parameter runs: Where the runs lie; made with the first cycle that ends.
  package init(in runs: PrivateDirectory) {
    self.runs = RunDirectories(in: runs)
  }

  /// Takes the events of the run, in their order; they may come late.
  package func record(_ event: Event) {
    state.withLock { state in
      var ended: [CycleProfile.Builder.EndedBuild] = []
      if case .cycle = event.kind {
        let cycle = event.cycle ?? 0
        ended = state.ended[cycle] ?? []
        state.ended = state.ended.filter { $0.key > cycle }
      }
      guard let profile = state.builder.add(event, ended: ended) else { return }
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

  /// Takes a build's end, before its cycle's end is recorded; the trace is moved here.
  ///
  /// - Parameter event: The number of the event that the build began with.
  func add(
    _ profile: BazelProfile?, of event: Int, cycle: Int, elapsed: Duration, lockWaited: Duration
  ) {
    state.withLock { state in
      let number = state.ended[cycle, default: []].count + 1
      let name = "cycle-\(cycle)-bazel-\(number).json"
      let directory = directory(&state)
      let isKept = profile.map { Self.keep($0.file, as: name, in: directory) }
      state.ended[cycle, default: []].append(
        CycleProfile.Builder.EndedBuild(
          event: event, trace: isKept == true ? name : nil, elapsed: elapsed,
          lockWaited: lockWaited,
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

  private func directory(_ state: inout State) -> OpenDirectory? {
    defer { state.isTidy = true }
    return runs.own(isFirst: !state.isTidy)
  }
}

// MARK: - Reading

extension ProfileStore {
  /// The cycles of one run.
  package struct Run: Sendable {
    /// Holds the traces that the cycles name.
    package var directory: FilePath
    /// In their order.
    package var cycles: [CycleProfile]

    /// The number of its process, as `--run` takes it.
    package var name: String {
      (directory.lastComponent?.string ?? "").replacing("run-", with: "", maxReplacements: 1)
    }
  }

  /// - Parameter runs: Where the runs lie.
  /// - Returns: The run whose last cycle ended last; `nil` when none has been kept.
  /// - Throws: `UntrustedFile`; `Errno`.
  package static func latest(in runs: PrivateDirectory) throws -> Run? { try all(in: runs).first }

  /// The runs of which a cycle is kept, the one whose last cycle ended last first.
  package static func all(in runs: PrivateDirectory) throws -> [Run] {
    try RunDirectories(in: runs).all().compactMap { run in
      let cycles = cycles(in: run)
      return cycles.isEmpty ? nil : Run(directory: run.path, cycles: cycles)
    }
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
}
