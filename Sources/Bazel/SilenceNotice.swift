/// When to say that Bazel does not answer: soon, and then ever more rarely.
struct SilenceNotice {
  private var next: Duration
  private let first: Duration

  /// - Parameter first: How long a silence is worth a word.
  init(after first: Duration = .seconds(10)) {
    self.first = first
    next = first
  }

  /// - Returns: What to say now, if anything.
  mutating func text(silence: Duration, server: ServerActivity?) -> String? {
    if silence < first { next = first }
    guard silence >= next, let server else { return nil }
    next = silence * 3
    let cause =
      server.waitsForPipe
      ? "it waits for a named pipe among its inputs, which nobody writes to: leave it out of the "
        + "glob, or remove it;"
      : "it neither works nor runs a program: a file system that does not answer may be the cause;"
    return "Bazel has not answered for \(silence.components.seconds) s: \(cause) "
      + "'kill \(server.server)' ends its server (pid \(server.server)), and the build is tried again"
  }
}

/// Looks after one command of Bazel: for how long it has been still, and whether to say so.
struct SilenceWatch {
  private(set) var signs = SignsOfLife()
  private var notice = SilenceNotice()
  private var looked: Duration = .zero

  /// The client wrote something, or an event was read.
  mutating func heard(at now: Duration) { signs.heard(at: now) }

  /// Called often; looks at the server once a second, and only when the command is still.
  ///
  /// - Parameters:
  ///   - isAwaited: Nothing is to be expected now: another command holds the lock, or the build has
  ///     ended.
  ///   - allowance: How much longer a silence may be: an executor elsewhere shows here as nothing.
  ///   - look: What the kernel tells of the server.
  /// - Returns: What to say.
  mutating func tick(
    at now: Duration, isAwaited: Bool, allowance: Duration = .zero, look: () -> ServerActivity?
  ) -> String? {
    guard now - looked >= .seconds(1), signs.silence(at: now) >= .seconds(2) else { return nil }
    looked = now
    guard let activity = look() else { return nil }
    signs.saw(activity, at: now)
    guard !isAwaited else { return nil }
    return notice.text(silence: signs.silence(at: now) - allowance, server: activity)
  }
}
