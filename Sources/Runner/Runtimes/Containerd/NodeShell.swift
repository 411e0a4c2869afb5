import Synchronization
import Watcher

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

  /// How long a shell may take to end with its input.
  private static let patience = Duration.seconds(1)

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

  /// Whether nothing need be started to ask something.
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
      let answer = try await (session ?? start()).finish(script, arguments, input: input)
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
    // No child of this task, which may be cancelled and yet has to wait; it ends below.
    let force = Task {
      try await clock.pause(for: Self.patience)
      session.cancel()
    }
    await session.ended()
    force.cancel()
  }
}

/// One shell, from its start to its end, asked one thing after the other.
private final class ShellSession: Sendable {
  private enum Piece: Sendable {
    case script([UInt8])
    case stream(ImageStream)
  }

  private struct Written {
    var output: [UInt8] = []
    var errors: [UInt8] = []
    var isAll = false
  }
  private final class Record: Sendable {
    let written = Mutex(Written())
  }
  private let record = Record()
  private let input: AsyncStream<Piece>.Continuation
  /// Something was written, or the shell has ended; of one who waits at a time.
  private let news: AsyncStream<Void>
  private let mark: String
  private let work: Task<CommandExit, any Error>

  /// Reads so many lines and runs them, again and again; after the last it ends as they did.
  ///
  /// Of a pipe `read` takes no byte too many, so what follows the last lines is theirs.
  private static let loop = #"""
    while read -r count isLast; do
      script=
      while [ "$count" -gt 0 ]; do
        IFS= read -r line || exit
        script="$script$line
    "
        count=$((count - 1))
      done
      if [ -n "$isLast" ]; then eval "$script"; exit; fi
      (eval "$script") </dev/null
      printf '\n%s %s\n' "$1" "$?"
      printf '\n%s\n' "$1" >&2
    done
    """#

  /// More than this is not kept.
  private static let limit = 8 << 20

  init(_ entrance: [String], environment: [String: String], runner: any CommandRunner) {
    let mark = "watchbuild-\(UInt64.random(in: 0...(.max)))"
    self.mark = mark
    let (pieces, input) = AsyncStream.makeStream(of: Piece.self)
    self.input = input
    let (news, herald) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    self.news = news
    let argv = entrance + ["sh", "-c", Self.loop, "sh", mark]
    let command = Command(argv[0], Array(argv.dropFirst()), environment: environment)
    // No child of the task that asks first, which ends with its load; it is always ended by its owner.
    work = Task { [record] in
      defer {
        record.written.withLock { $0.isAll = true }
        herald.finish()
      }
      return try await runner.run(command, input: Feed(pieces: pieces)) { chunk in
        record.written.withLock {
          switch chunk {
          case .standardOutput(let bytes): Self.append(bytes, to: &$0.output)
          case .standardError(let bytes): Self.append(bytes, to: &$0.errors)
          }
        }
        herald.yield()
      }
    }
  }

  deinit { input.finish() }

  var hasEnded: Bool { record.written.withLock(\.isAll) }

  /// - Returns: `nil` when the shell ended before it had answered.
  func answer(_ script: String, _ arguments: [String]) async throws -> NodeShell.Answer? {
    input.yield(.script(Self.frame(script, arguments, isLast: false)))
    for await _ in news {
      if let answer = record.written.withLock({ takeAnswer(&$0) }) { return answer }
    }
    if Task.isCancelled {
      cancel()
      await ended()
      throw CancellationError()
    }
    return record.written.withLock { takeAnswer(&$0) }
  }

  func finish(
    _ script: String, _ arguments: [String], input stream: ImageStream
  ) async throws -> NodeShell.Answer {
    input.yield(.script(Self.frame(script, arguments, isLast: true)))
    input.yield(.stream(stream))
    input.finish()
    return try await lastWords()
  }

  /// Waits until the shell has ended.
  ///
  /// - Throws: `CommandError`; what its input threw; `CancellationError`.
  func lastWords() async throws -> NodeShell.Answer {
    let exit = try await withTaskCancellationHandler {
      try await work.value
    } onCancel: {
      work.cancel()
    }
    return record.written.withLock { (exit, Self.text($0.output), Self.text($0.errors)) }
  }

  /// Nothing is asked any more.
  func close() { input.finish() }

  func cancel() { work.cancel() }

  func ended() async { _ = await work.result }

  private static func append(_ bytes: [UInt8], to kept: inout [UInt8]) {
    if kept.count < limit { kept += bytes }
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  private func takeAnswer(_ written: inout Written) -> NodeShell.Answer? {
    guard let (output, exit) = beforeMark(written.output), let exit = Int32(exit),
      let (errors, _) = beforeMark(written.errors)
    else { return nil }
    written.output = []
    written.errors = []
    return (.exited(exit), output, errors)
  }

  /// What was written before the mark, which comes in a line of its own, and what follows it there.
  private func beforeMark(_ bytes: [UInt8]) -> (text: String, rest: String)? {
    let sought = Array("\n\(mark)".utf8)
    let tail = bytes.suffix(sought.count + 8)
    guard tail.last == UInt8(ascii: "\n"), let range = tail.firstRange(of: sought) else {
      return nil
    }
    let rest = bytes[range.upperBound...].filter { $0 > UInt8(ascii: " ") }
    return (Self.text(Array(bytes[..<range.lowerBound])), Self.text(Array(rest)))
  }

  /// The number of lines, and the lines.
  private static func frame(_ script: String, _ arguments: [String], isLast: Bool) -> [UInt8] {
    let quoted = arguments.map {
      "'" + $0.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#)
        + "'"
    }
    let text = (["set --"] + quoted).joined(separator: " ") + "\n" + script + "\n"
    let count = text.utf8.count { $0 == UInt8(ascii: "\n") }
    return Array("\(count)\(isLast ? " last" : "")\n\(text)".utf8)
  }

  /// What the shell reads: scripts as they come, and at last what the last of them reads.
  private struct Feed: AsyncSequence, Sendable {
    let pieces: AsyncStream<Piece>

    struct AsyncIterator: AsyncIteratorProtocol {
      var pieces: AsyncStream<Piece>.AsyncIterator
      var stream: ImageStream.Iterator?

      @concurrent mutating func next() async throws -> [UInt8]? {
        if stream == nil {
          switch await pieces.next() {
          case nil: return nil
          case .script(let bytes): return bytes
          case .stream(let stream): self.stream = stream.makeAsyncIterator()
          }
        }
        return try await stream?.next()
      }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pieces: pieces.makeAsyncIterator()) }
  }
}
