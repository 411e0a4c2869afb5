import Runtimes

/// Judges by what is seen of a container, again and again, whether it is live: as healthy, or up for two seconds.
struct LifeSigns: Sendable {
  enum Verdict: Hashable, Sendable {
    case live
    /// It is to be looked at again.
    case undecided
    /// One line: what is wrong with it.
    case failed(String)
  }

  /// So long a container without a health check has to run.
  static let proof = Duration.seconds(2)

  private let timeout: Duration
  /// Restarts that it had before it was looked at.
  private var restarts: Int?
  /// Since when it has been seen to run without a break.
  private var upSince: Duration?
  /// Since when it has been known that it ends and is started again.
  private var restartedSince: Duration?

  init(timeout: Duration) { self.timeout = timeout }

  /// - Parameters:
  ///   - state: `nil`: it is gone.
  ///   - elapsed: Since its start.
  mutating func look(_ state: ContainerState?, at elapsed: Duration) -> Verdict {
    guard let state else { return .failed("ended at once and is gone") }
    let before = restarts ?? state.restarts
    restarts = before
    if state.isRestarting || state.restarts > before {
      return restarted(state, at: elapsed)
    }
    guard state.isRunning else { return .failed("ended (\(end(of: state)))") }
    let since = upSince ?? elapsed
    upSince = since
    switch state.health {
    case .healthy: return .live
    case .unhealthy:
      let words = state.healthWords?.split(whereSeparator: \.isNewline).first.map { ": \($0)" }
      return .failed("is unhealthy\(words ?? "")")
    case .starting:
      return elapsed < timeout ? .undecided : .failed("is not healthy after \(timeout)")
    case nil: return elapsed - since >= Self.proof ? .live : .undecided
    }
  }

  /// While it runs again the engine does not tell how it ended, so its next end is awaited for a while.
  private mutating func restarted(_ state: ContainerState, at elapsed: Duration) -> Verdict {
    let since = restartedSince ?? elapsed
    restartedSince = since
    let isTold = state.isRestarting || state.exitCode != 0 || state.isOutOfMemory
    guard isTold || elapsed - since >= Self.proof else { return .undecided }
    return .failed("ends again and again" + (isTold ? " (\(end(of: state)))" : ""))
  }

  private func end(of state: ContainerState) -> String {
    state.isOutOfMemory ? "out of memory" : "exit \(state.exitCode)"
  }
}
