import Basics
import Images
import Processes
import Synchronization

/// A shell inside a container that stands ready for what is to be asked there.
///
/// A step into a container costs a tenth of a second, whatever is done in it; what is asked of a shell
/// that is there already costs no more than itself. The shell ends with its input, and so with this
/// process, however that ends.
actor NodeShell {
  typealias Answer = (exit: CommandExit, output: String, errors: String)

  private let entrance: [String]
  private let environment: [String: String]
  private let runner: any CommandRunner
  private let clock: any Clock<Duration>
  private var standing: ShellSession?
  private var isEnded = false

  /// The time that a shell may take to end with its input.
  private static let patience = Duration.seconds(1)
  /// The time that a script may take to end with its input when nobody waits for it any more.
  private static let importPatience = Duration.seconds(5)

  /// - Parameter entrance: What reaches into the container with its standard input, such as
  ///   `docker exec -i NODE`.
  init(
    entrance: [String], environment: [String: String], runner: any CommandRunner,
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.entrance = entrance
    self.environment = environment
    self.runner = runner
    self.clock = clock
  }

  /// True if nothing need be started to ask something.
  var isReady: Bool { standing?.hasEnded == false }

  /// Runs a script with these positional parameters.
  ///
  /// - Parameter input: What the script reads, to its end; `nil`: it has no input.
  /// - Returns: How the script ended; where the shell did before it, how that did.
  /// - Throws: `CommandError`; what `input` throws; `CancellationError`, when the script has ended.
  func run(
    _ script: String, _ arguments: [String], input: ImageStream?
  ) async throws -> Answer {
    // Taken away: whoever asks meanwhile gets a shell of its own.
    var session = standing
    standing = nil
    if session?.hasEnded == true { session = nil }
    if let input {
      let answer = try await finish(session ?? start(), script, arguments, input: input)
      // For what comes next, while nobody waits.
      if standing == nil, !isEnded { standing = start() }
      return answer
    }
    if let session, let answer = try await session.answer(script, arguments) {
      await keep(session)
      return answer
    }
    // It went while it stood there, as with the container.
    let fresh = start()
    guard let answer = try await fresh.answer(script, arguments) else {
      return try await fresh.lastWords()
    }
    await keep(fresh)
    return answer
  }

  /// Cancelled, the script is told of no more input and waited for: what goes on in the container would
  /// overtake what is done there next.
  private func finish(
    _ session: ShellSession, _ script: String, _ arguments: [String], input: ImageStream
  ) async throws -> Answer {
    let force = Mutex<Task<Void, any Error>?>(nil)
    defer { force.withLock { $0?.cancel() } }
    let answer = try await withTaskCancellationHandler {
      try await session.finish(script, arguments, input: input)
    } onCancel: {
      session.cut()
      force.withLock { $0 = cancel(session, after: Self.importPatience) }
    }
    try Task.checkCancellation()
    return answer
  }

  /// Ends the shell; to be called once, when nothing is asked any more.
  func end() async {
    isEnded = true
    if let session = standing { await end(session) }
    standing = nil
  }

  private func start() -> ShellSession {
    ShellSession(entrance, environment: environment, runner: runner)
  }

  private func keep(_ session: ShellSession) async {
    if standing == nil, !isEnded { standing = session } else { await end(session) }
  }

  private func end(_ session: ShellSession) async {
    session.close()
    let force = cancel(session, after: Self.patience)
    await session.ended()
    force.cancel()
  }

  /// No child of the task that asks, which may be cancelled and yet has to wait; to be cancelled by it.
  private nonisolated func cancel(
    _ session: ShellSession, after patience: Duration
  ) -> Task<Void, any Error> {
    Task {
      try await clock.pause(for: patience)
      session.cancel()
    }
  }
}
