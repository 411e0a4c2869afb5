import Basics
import Glibc
import NIOCore
import NIOPosix
import Processes
import Synchronization
import SystemPackage

/// A socket of ours that leads through ssh to an engine on another machine.
///
/// Each connection to it is one `docker system dial-stdio`: docker's own client runs ssh, with all that
/// the user has configured for it, and joins its standard input and output to the engine over there.
/// When this process ends, however it ends, so does that pipe, and docker and ssh with it once they
/// are through.
final class EngineTunnel: Sendable {
  let socket: FilePath
  private let directory: SocketDirectory
  private let command: Command
  private let runner: any CommandRunner
  private let clock: any Clock<Duration>

  private struct State {
    var listener: (any Channel)?
    var serving: Task<Void, Never>?
    var lines: [ObjectIdentifier: Line] = [:]
    var words: String?
  }
  private let state = Mutex(State())

  /// The time that a connection may take to end before it is ended.
  private static let patience = Duration.seconds(1)

  /// - Parameter command: Joins its standard input and output to the engine.
  init(
    _ command: Command, in parent: FilePath, runner: any CommandRunner,
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    directory = SocketDirectory(for: "ssh", in: parent)
    socket = directory.path.appending("docker.sock")
    self.command = command
    self.runner = runner
    self.clock = clock
  }

  /// Docker's own client, which finds the way.
  ///
  /// - Parameters:
  ///   - address: `ssh://[USER@]HOST[:PORT]`.
  ///   - environment: Ours, which the client gets.
  static func command(to address: String, environment: [String: String]) -> Command {
    // The address alone is to count for the client, whatever else there is in our environment.
    var added = ["DOCKER_HOST": address, "DOCKER_CONTEXT": "", "DOCKER_TLS_VERIFY": ""]
    if environment["SSH_ASKPASS"] == nil {
      // Nobody could answer: a question of ssh's is to be its failure, not a wait without end.
      added["SSH_ASKPASS"] = "/bin/false"
      added["SSH_ASKPASS_REQUIRE"] = "force"
    }
    return Command("docker", ["system", "dial-stdio"], environment: added)
  }

  /// Why the last connection failed, in ssh's or docker's own words; `nil` when it did not.
  var words: String? { state.withLock { $0.words } }

  /// Makes the socket; programs run only for connections to it.
  ///
  /// - Throws: `RuntimeError` when it can't be made.
  func start() async throws {
    do {
      try directory.make()
    } catch let error as Errno {
      throw failure("\(directory.path): \(error)")
    } catch {
      throw failure("\(error)")
    }
    do {
      let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .bind(unixDomainSocketPath: socket.string) { channel in
          channel.eventLoop.makeCompletedFuture {
            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
          }
        }
      // No child of the task that asks first, which ends with its load; `stop()` ends it.
      let serving = Task { await serve(listener) }
      state.withLock {
        $0.listener = listener.channel
        $0.serving = serving
      }
    } catch {
      directory.remove(socket)
      throw failure("\(socket): \(error)")
    }
  }

  /// Ends all connections, waits for their programs, and removes the socket.
  ///
  /// To be called when the client has been shut down: programs then end by the end of their input.
  func stop() async {
    let (listener, serving) = state.withLock { ($0.listener, $0.serving) }
    listener?.close(promise: nil)
    for line in lines { line.channel.close(promise: nil) }
    // No child of this task, which may be cancelled and yet has to wait; it ends below.
    let force = Task {
      for force in [ForcedEnd.Force.terminate, .kill] {
        try await clock.pause(for: Self.patience)
        for line in lines { line.ending.end(force) }
      }
    }
    await serving?.value
    force.cancel()
    directory.remove(socket)
  }

  private var lines: [Line] { state.withLock { Array($0.lines.values) } }

  private func serve(
    _ listener: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>
  ) async {
    do {
      try await listener.executeThenClose { connections in
        try await withThrowingDiscardingTaskGroup { group in
          for try await connection in connections {
            group.addTask { await self.carry(connection) }
          }
        }
      }
    } catch {
      state.withLock { $0.words = "\(error)" }
    }
  }

  /// One connection, from its opening until its program has ended.
  private func carry(_ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async {
    let line = Line(connection.channel)
    state.withLock { $0.lines[ObjectIdentifier(line)] = line }
    do {
      try await connection.executeThenClose { inbound, _ in
        let words: String?
        do {
          let exit = try await runner.run(
            command, input: Uplink(inbound: inbound), ending: line.ending
          ) { line.take($0) }
          words =
            exit == .exited(0) ? nil : try await self.words(line) ?? "docker ended with \(exit)"
        } catch {
          words = "\(error)"
        }
        // Before the connection closes, which is when the client asks for it.
        state.withLock { $0.words = words }
        await line.flush()
      }
    } catch {
      // The client has gone, as it may.
    }
    state.withLock { $0.lines[ObjectIdentifier(line)] = nil }
  }

  /// The words of a program that failed.
  ///
  /// Docker, when it writes to an ssh that has gone, may tell that instead of what ssh said: with
  /// nothing to write it tells.
  private func words(_ line: Line) async throws -> String? {
    guard let words = line.words, words.contains("broken pipe") else { return line.words }
    let (exit, _, errors) = try await CommandAnswer.of(command, ending: line.ending, with: runner)
    return exit == .exited(0) ? words : Line.words(in: errors) ?? words
  }

  private func failure(_ reason: String) -> RuntimeError {
    RuntimeError(
      runtime: "docker", kind: .unreachable,
      message: "no socket for the way through ssh can be made: \(reason)",
      hint: "set XDG_RUNTIME_DIR to a directory of yours with a short path")
  }
}

/// The output of one connection's program, and a way to end it.
private final class Line: Sendable {
  let channel: any Channel
  let ending = ForcedEnd()

  private struct State {
    var words: [UInt8] = []
    /// True if the program speaks HTTP; `nil`: it has not spoken.
    var isAnswering: Bool?
    /// Written, but not yet taken by the client.
    var pending = 0
    var last: EventLoopFuture<Void>?
  }
  private let state = Mutex(State())

  /// The answers of an engine to what we ask are short; a client that reads none of so many bytes has
  /// lost its way.
  private static let limit = 32 << 20
  private static let wordLimit = 4000

  init(_ channel: any Channel) { self.channel = channel }

  func take(_ output: CommandOutput) {
    switch output {
    case .standardError(let bytes):
      state.withLock { $0.words = Array(($0.words + bytes).suffix(Self.wordLimit)) }
    case .standardOutput(let bytes):
      guard isAnswer(bytes) else { return ending.end(.terminate) }
      let pending = state.withLock { state in
        state.pending += bytes.count
        return state.pending
      }
      guard pending <= Self.limit else { return channel.close(promise: nil) }
      let write = channel.writeAndFlush(ByteBuffer(bytes: bytes))
      write.whenComplete { _ in self.state.withLock { $0.pending -= bytes.count } }
      state.withLock { $0.last = write }
    }
  }

  /// Tells whether what comes is an engine's answer; what a login shell says instead is kept as its words.
  private func isAnswer(_ bytes: [UInt8]) -> Bool {
    state.withLock { state in
      let isAnswering = state.isAnswering ?? zip(bytes, "HTTP/".utf8).allSatisfy { $0 == $1 }
      state.isAnswering = isAnswering
      if !isAnswering { state.words = Array((state.words + bytes).suffix(Self.wordLimit)) }
      return isAnswering
    }
  }

  /// Waits until the client has what was written, or has gone.
  func flush() async {
    guard let last = state.withLock({ $0.last }) else { return }
    // Whoever has gone needs no answer.
    try? await last.get()
  }

  var words: String? {
    Self.words(in: state.withLock { String(decoding: $0.words, as: UTF8.self) })
  }

  /// The last line that was written to standard error; of docker's long one about ssh, ssh's own part.
  static func words(in text: String) -> String? {
    guard let line = text.split(whereSeparator: \.isNewline).last else { return nil }
    let own = line.firstRange(of: "stderr=").map { line[$0.upperBound...] } ?? line
    return own.isEmpty ? String(line) : String(own)
  }
}

/// The bytes that the client sends; they end when it closes its connection.
private struct Uplink: AsyncSequence, Sendable {
  let inbound: NIOAsyncChannelInboundStream<ByteBuffer>

  struct AsyncIterator: AsyncIteratorProtocol {
    var base: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator

    @concurrent mutating func next() async throws -> [UInt8]? {
      do {
        return try await base.next().map { Array($0.readableBytesView) }
      } catch {
        return nil
      }
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: inbound.makeAsyncIterator()) }
}
