import Processes

/// When a client that does not end though its build has is ended by force: pure.
///
/// Some never return. It is the one case in which a client is killed: nothing runs in the server any
/// more. Where outputs are still on their way to a cache, or a build event service has not had all,
/// that would lose them, and an interrupted server may end: so it has to be still for minutes.
struct ClientPatience {
  private enum Step { case waiting, asked(at: Duration), killed }

  private static let grace = Duration.seconds(10)
  private static let graceForServices = Duration.seconds(300)
  private static let lastGrace = Duration.seconds(10)

  private var step = Step.waiting
  /// When the build's last event was read.
  private var completed: Duration?

  /// Each force is told once: a third signal would end the server.
  ///
  /// - Parameters:
  ///   - isComplete: Bazel has told its last event.
  ///   - silence: Since the last sign of life of client and server.
  ///   - talksToServices: A cache, an executor or a build event service is in use.
  mutating func force(
    isComplete: Bool, silence: Duration, talksToServices: Bool, at now: Duration
  ) -> (force: ForcedEnd.Force, notice: String?)? {
    guard isComplete else {
      completed = nil
      return nil
    }
    let since = completed ?? now
    completed = since
    let grace = talksToServices ? Self.graceForServices : Self.grace
    switch step {
    case .waiting:
      guard min(silence, now - since) >= grace else { return nil }
      step = .asked(at: now)
      return (
        .terminate,
        "Bazel has ended its build but its client does not return after "
          + "\(grace.components.seconds) s; ending the client"
      )
    case .asked(let time):
      guard now - time >= Self.lastGrace else { return nil }
      step = .killed
      return (.kill, nil)
    case .killed: return nil
    }
  }
}
