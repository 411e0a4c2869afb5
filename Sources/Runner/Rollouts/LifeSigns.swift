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

  init(timeout: Duration) { self.timeout = timeout }

  /// - Parameters:
  ///   - state: `nil`: it is gone.
  ///   - elapsed: Since its start.
  mutating func look(_ state: ContainerState?, at elapsed: Duration) -> Verdict {
    guard let state else { return .failed("ended at once and is gone") }
    let before = restarts ?? state.restarts
    restarts = before
    if state.isRestarting || state.restarts > before {
      return .failed("ends again and again (\(end(of: state)))")
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

  private func end(of state: ContainerState) -> String {
    state.isOutOfMemory ? "out of memory" : "exit \(state.exitCode)"
  }
}
