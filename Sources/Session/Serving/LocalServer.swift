import Basics
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Serves programs of this machine over HTTP: one request a connection, each in a task of its own.
///
/// Whoever sends too much, too slowly or too often is refused; whoever does not read keeps nobody waiting but
/// itself.
package final class LocalServer: Sendable {
  /// Where it listens.
  package enum Place: Sendable {
    /// A Unix socket that is bound and listens; only our own user is served.
    case unix(descriptor: Int32)
    /// The service decides who is served.
    case loopback(host: String, port: Int)
  }

  /// The bounds of clients.
  package struct Limits: Sendable {
    package var connections = 256
    package var bodyBytes = 1 << 20
    /// From the connection's opening to the end of its request.
    package var reading = Duration.seconds(10)
    /// The time that those who wait are given to take their last answer.
    package var ending = Duration.seconds(1)

    package init() {}
  }

  private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, ByteBuffer>

  private struct State {
    var listener: (any Channel)?
    var serving: Task<Void, Never>?
    var channels: [ObjectIdentifier: any Channel] = [:]
    /// Those whose answer has no end.
    var streams: [ObjectIdentifier: any AsyncSequence<[UInt8], Never> & Sendable] = [:]
    var isEnding = false
  }

  private let place: Place
  private let service: any LocalService
  private let limits: Limits
  private let clock: any Clock<Duration>
  private let state = Mutex(State())

  package init(
    _ place: Place, _ service: any LocalService, limits: Limits = Limits(),
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.place = place
    self.service = service
    self.limits = limits
    self.clock = clock
  }

  /// Serves from now on.
  ///
  /// - Returns: The port, of a place that has one.
  @discardableResult
  package func start() async throws -> Int? {
    let listener = try await listen()
    // No child of a task that may be cancelled: those who wait are told of the end by it. `stop()` ends it.
    let serving = Task { await serve(listener) }
    state.withLock {
      $0.listener = listener.channel
      $0.serving = serving
    }
    return listener.channel.localAddress?.port
  }

  private func listen() async throws -> NIOAsyncChannel<Connection, Never> {
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    switch place {
    case .unix(let descriptor):
      return try await bootstrap.bind(descriptor, childChannelInitializer: Self.connection)
    case .loopback(let host, let port):
      return try await bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .bind(host: host, port: port, childChannelInitializer: Self.connection)
    }
  }

  private static func connection(_ channel: any Channel) -> EventLoopFuture<Connection> {
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(
        ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
      return try Connection(wrappingChannelSynchronously: channel)
    }
  }

  /// Takes no more connections, and lets those that wait for an answer take it.
  package func stop() async {
    let (listener, serving) = state.withLock { state in
      state.isEnding = true
      return (state.listener, state.serving)
    }
    listener?.close(promise: nil)
    await drain()
    let streams = state.withLock { state in state.streams.keys.compactMap { state.channels[$0] } }
    for channel in streams { channel.close(promise: nil) }
    // No child of this task, which may be cancelled and yet has to wait; it ends below.
    let force = Task {
      try await clock.pause(for: limits.ending)
      for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
    }
    await serving?.value
    force.cancel()
  }

  /// Lets those that follow take what there is, within the time that all are given.
  private func drain() async {
    // No child of this task, as below.
    await Task {
      let pause = Duration.milliseconds(5)
      for _ in 0..<max(1, Int(limits.ending / pause)) {
        let isDrained = state.withLock { state in
          state.streams.values.allSatisfy { ($0 as? any DrainableChunks)?.isDrained ?? true }
        }
        guard !isDrained, (try? await clock.pause(for: pause)) != nil else { return }
      }
    }.value
  }

  private func serve(_ listener: NIOAsyncChannel<Connection, Never>) async {
    // An error of the listener ends the serving; `dev` goes on without.
    try? await listener.executeThenClose { connections in
      await withDiscardingTaskGroup { group in
        do {
          for try await connection in connections {
            group.addTask { await self.carry(connection) }
          }
        } catch {
          // As above; those who are being served are let finish.
        }
      }
    }
  }

  // MARK: A connection

  private func carry(_ connection: Connection) async {
    let id = ObjectIdentifier(connection.channel)
    let count = state.withLock { state in
      state.channels[id] = connection.channel
      return state.channels.count
    }
    // Whoever goes away in the middle is nobody's error.
    try? await connection.executeThenClose { inbound, outbound in
      guard await isTrusted(connection.channel) else { return }
      guard count <= limits.connections else {
        let refusal = service.refusal(503, "busy", "too many connections; try again")
        return try await self.send(refusal, to: outbound)
      }
      let answer: LocalAnswer
      switch try await read(inbound, of: connection.channel) {
      case .failure(let refusal): return try await self.send(refusal, to: outbound)
      case .success(let request):
        let given = await untilGone(connection.channel) {
          await self.service.respond(to: request)
        }
        guard let given else { return }
        answer = given
      }
      guard case .chunks(let chunks) = answer.content else {
        return try await self.send(answer, to: outbound)
      }
      let isEnding = state.withLock { state in
        state.streams[id] = chunks
        return state.isEnding
      }
      guard !isEnding else { return }
      try await outbound.write(ByteBuffer(string: answer.head))
      _ = await untilGone(connection.channel) { await Self.stream(chunks, to: outbound) }
    }
    state.withLock { state in
      state.channels[id] = nil
      state.streams[id] = nil
    }
  }

  /// Of a Unix socket the kernel tells who is at the other end.
  private func isTrusted(_ channel: any Channel) async -> Bool {
    guard case .unix = place else { return true }
    guard let options = channel as? any SocketOptionProvider else { return false }
    let peer: PeerIdentity? = try? await options.unsafeGetSocketOption(
      level: .socket, name: NIOBSDSocket.Option(rawValue: PeerIdentity.option)
    ).get()
    return peer?.isTrusted == true
  }

  private enum Reading {
    case success(LocalRequest)
    case failure(LocalAnswer)
  }

  /// Reads a whole request, within bounds.
  private func read(
    _ parts: NIOAsyncChannelInboundStream<HTTPServerRequestPart>, of channel: any Channel
  ) async throws -> Reading {
    // No child task: it ends with the reading below, or ends that.
    let limit = Task { [clock, limits] in
      try await clock.pause(for: limits.reading)
      channel.close(promise: nil)
    }
    defer { limit.cancel() }
    var head: HTTPRequestHead?
    var body: [UInt8] = []
    do {
      for try await part in parts {
        switch part {
        case .head(let found):
          head = found
          let announced = found.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
          if announced > limits.bodyBytes { return .failure(tooLarge) }
        case .body(let bytes):
          body += bytes.readableBytesView
          if body.count > limits.bodyBytes { return .failure(tooLarge) }
        case .end:
          guard let head else { break }
          return .success(LocalRequest(head, body: body))
        }
      }
    } catch is HTTPParserError {
      return .failure(service.refusal(400, "badRequest", "this is no HTTP/1.1 request"))
    }
    throw CancellationError()
  }

  private var tooLarge: LocalAnswer {
    service.refusal(413, "tooLarge", "a request has at most \(limits.bodyBytes) bytes")
  }

  /// Runs work until it is done or the client has gone.
  ///
  /// - Returns: `nil` where the client has gone.
  private func untilGone<Value: Sendable>(
    _ channel: any Channel, _ work: @escaping @Sendable () async -> Value
  ) async -> Value? {
    let (closing, closed) = AsyncStream.makeStream(of: Never.self)
    channel.closeFuture.whenComplete { _ in closed.finish() }
    return await withTaskGroup(of: Value?.self) { group in
      group.addTask { await work() }
      group.addTask {
        for await _ in closing {}
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }

  // MARK: Answers

  /// Sends each piece in a chunk of its own. Whoever does not read is waited for here.
  private static func stream(
    _ pieces: any AsyncSequence<[UInt8], Never> & Sendable,
    to outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) async {
    do {
      for await piece in pieces {
        let size = String(piece.count, radix: 16)
        try await outbound.write(ByteBuffer(bytes: Array("\(size)\r\n".utf8) + piece + [13, 10]))
      }
      try await outbound.write(ByteBuffer(string: "0\r\n\r\n"))
    } catch {
      // The client has gone.
    }
  }

  private func send(
    _ answer: LocalAnswer, to outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) async throws {
    guard case .bytes(let bytes) = answer.content else { return }
    try await outbound.write(ByteBuffer(bytes: Array(answer.head.utf8) + bytes))
    outbound.finish()
  }
}
