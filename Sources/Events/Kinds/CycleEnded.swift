package import Bazel

extension Event {
  /// A cycle has ended. All that belongs to it has been told before.
  package struct CycleEnded: EventFields {
    package static let type = "cycle"

    package enum Status: String, Sendable, Codable {
      case ok, failed, cancelled
    }

    package struct Timings: Hashable, Sendable, Codable {
      package var windowMs = 0
      package var planMs = 0
      package var lockMs = 0
      package var bazelMs = 0
      package var loadMs = 0
      package var rolloutMs = 0
      package var totalMs = 0

      package init() {}
    }

    /// How.
    package var status: Status
    /// Images that are up to date everywhere.
    package var ok: Int
    /// Images that failed.
    package var failed: Int
    /// Images that wait for others, which they require.
    package var heldUp: Int
    /// Names.
    package var failedImages: [String]
    /// Where the time went, in milliseconds.
    package var timings: Timings
    /// How many ran.
    package var bazelCommands: Int
    /// What `bazelMs` was spent on, where Bazel's profile tells.
    package var phases: BazelPhases?
    /// What a discarded cache cost: `bazelMs` beyond that of the last warm cycle.
    package var cacheCostMs: Int?

    package init(
      status: Status, ok: Int, failed: Int, heldUp: Int = 0, failedImages: [String] = [],
      timings: Timings, bazelCommands: Int, phases: BazelPhases? = nil, cacheCostMs: Int? = nil
    ) {
      self.status = status
      self.ok = ok
      self.failed = failed
      self.heldUp = heldUp
      self.failedImages = failedImages
      self.timings = timings
      self.bazelCommands = bazelCommands
      self.phases = phases
      self.cacheCostMs = cacheCostMs
    }
  }
}
