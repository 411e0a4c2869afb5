import Images
import Processes
import Synchronization

/// One shell, from its start to its end, asked one thing after the other.
final class ShellSession: Sendable {
  private enum Piece: Sendable {
    case script([UInt8])
    case stream(ImageStream)
  }

  private struct Written {
    var output: MarkedOutput
    var errors: MarkedOutput
    var isAll = false
    /// No more of a stream is read.
    var isCut = false
  }
  private final class Record: Sendable {
    let written: Mutex<Written>

    init(_ mark: String) {
      let none = MarkedOutput(mark: mark)
      written = Mutex(Written(output: none, errors: none))
    }
  }
  private let record: Record
  private let input: AsyncStream<Piece>.Continuation
  /// Something was written, or the shell has ended; of one who waits at a time.
  private let news: AsyncStream<Void>
  private let work: Task<CommandExit, any Error>

  /// Reads so many lines and runs them, again and again; after the last it ends as they did.
  ///
  /// From a pipe, `read` takes no byte too many, so the bytes behind the last lines are theirs.
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

  init(_ entrance: [String], environment: [String: String], runner: any CommandRunner) {
    let mark = "watchbuild-\(UInt64.random(in: 0...(.max)))"
    record = Record(mark)
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
      return try await runner.run(command, input: Feed(pieces: pieces, record: record)) { chunk in
        record.written.withLock {
          switch chunk {
          case .standardOutput(let bytes): $0.output.append(bytes)
          case .standardError(let bytes): $0.errors.append(bytes)
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

  /// Runs the last script, to its end also when the task is cancelled.
  func finish(
    _ script: String, _ arguments: [String], input stream: ImageStream
  ) async throws -> NodeShell.Answer {
    input.yield(.script(Self.frame(script, arguments, isLast: true)))
    input.yield(.stream(stream))
    input.finish()
    return written(try await work.value)
  }

  /// Ends the input of the last script where it is.
  func cut() { record.written.withLock { $0.isCut = true } }

  /// Waits until the shell has ended.
  ///
  /// - Throws: `CommandError`; what its input threw; `CancellationError`.
  func lastWords() async throws -> NodeShell.Answer {
    let exit = try await withTaskCancellationHandler {
      try await work.value
    } onCancel: {
      work.cancel()
    }
    return written(exit)
  }

  private func written(_ exit: CommandExit) -> NodeShell.Answer {
    record.written.withLock { (exit, $0.output.text, $0.errors.text) }
  }

  /// Nothing is asked any more.
  func close() { input.finish() }

  func cancel() { work.cancel() }

  func ended() async { _ = await work.result }

  private func takeAnswer(_ written: inout Written) -> NodeShell.Answer? {
    guard let exit = written.output.said.flatMap({ Int32($0) }), written.errors.said != nil
    else { return nil }
    return (.exited(exit), written.output.take(), written.errors.take())
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

  /// The shell's input: scripts as they come, and at last the input of the last of them.
  private struct Feed: AsyncSequence, Sendable {
    let pieces: AsyncStream<Piece>
    let record: Record

    struct AsyncIterator: AsyncIteratorProtocol {
      var pieces: AsyncStream<Piece>.AsyncIterator
      let record: Record
      var stream: ImageStream.Iterator?

      @concurrent mutating func next() async throws -> [UInt8]? {
        if stream == nil {
          switch await pieces.next() {
          case nil: return nil
          case .script(let bytes): return bytes
          case .stream(let stream): self.stream = stream.makeAsyncIterator()
          }
        }
        if record.written.withLock(\.isCut) { return nil }
        return try await stream?.next()
      }
    }

    func makeAsyncIterator() -> AsyncIterator {
      AsyncIterator(pieces: pieces.makeAsyncIterator(), record: record)
    }
  }
}
