import Basics
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Serves the control socket: one request a connection, each in a task of its own.
///
/// Whoever sends too much, too slowly or too often is refused; whoever does not read keeps nobody waiting but
/// itself.
package final class ControlServer: Sendable {
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
    var streams: Set<ObjectIdentifier> = []
    var isEnding = false
  }

  private let socket: ControlSocket
  private let api: ControlAPI
  private let limits: Limits
  private let clock: any Clock<Duration>
  private let state = Mutex(State())

  package init(
    _ socket: ControlSocket, _ api: ControlAPI, limits: Limits = Limits(),
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.socket = socket
    self.api = api
    self.limits = limits
    self.clock = clock
  }

  /// Serves from now on.
  package func start() async throws {
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(socket.descriptor) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
          return try Connection(wrappingChannelSynchronously: channel)
        }
      }
    // No child of a task that may be cancelled: those who wait are told of the end by it. `stop()` ends it.
    let serving = Task { await serve(listener) }
    state.withLock {
      $0.listener = listener.channel
      $0.serving = serving
    }
  }

  /// Takes no more connections, lets those that wait for an answer take it, and removes the socket.
  package func stop() async {
    socket.remove()
    let (listener, serving, streams) = state.withLock { state in
      state.isEnding = true
      return (state.listener, state.serving, state.streams.compactMap { state.channels[$0] })
    }
    listener?.close(promise: nil)
    for channel in streams { channel.close(promise: nil) }
    // No child of this task, which may be cancelled and yet has to wait; it ends below.
    let force = Task {
      try await clock.pause(for: limits.ending)
      for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
    }
    await serving?.value
    force.cancel()
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
        let refusal = ControlResponse.error(503, "busy", "too many connections; try again")
        return try await self.send(refusal, to: outbound)
      }
      let response: ControlResponse
      switch try await read(inbound, of: connection.channel) {
      case .failure(let refusal): return try await self.send(refusal, to: outbound)
      case .success(let request):
        let answer = await untilGone(connection.channel) { await self.api.respond(to: request) }
        guard let answer else { return }
        response = answer
      }
      guard case .lines(let lines) = response else {
        return try await self.send(response, to: outbound)
      }
      let isEnding = state.withLock { state in
        state.streams.insert(id)
        return state.isEnding
      }
      guard !isEnding else { return }
      try await outbound.write(ByteBuffer(string: Self.streamHead))
      _ = await untilGone(connection.channel) { await Self.stream(lines, to: outbound) }
    }
    state.withLock { state in
      state.channels[id] = nil
      state.streams.remove(id)
    }
  }

  private func isTrusted(_ channel: any Channel) async -> Bool {
    guard let options = channel as? any SocketOptionProvider else { return false }
    let peer: PeerIdentity? = try? await options.unsafeGetSocketOption(
      level: .socket, name: NIOBSDSocket.Option(rawValue: PeerIdentity.option)
    ).get()
    return peer?.isTrusted == true
  }

  private enum Reading {
    case success(ControlRequest)
    case failure(ControlResponse)
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
          return .success(ControlRequest(head, body: body))
        }
      }
    } catch is HTTPParserError {
      return .failure(.error(400, "badRequest", "this is no HTTP/1.1 request"))
    }
    throw CancellationError()
  }

  private var tooLarge: ControlResponse {
    .error(413, "tooLarge", "a request has at most \(limits.bodyBytes) bytes")
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

  private static let streamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: application/jsonl\r\nTransfer-Encoding: chunked\r\n"
    + "Connection: close\r\n\r\n"

  /// Sends each line in a chunk of its own. Whoever does not read is waited for here, and misses lines.
  private static func stream(
    _ lines: EventLines, to outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) async {
    do {
      for await line in lines {
        let size = String(line.count + 1, radix: 16)
        try await outbound.write(
          ByteBuffer(bytes: Array("\(size)\r\n".utf8) + line + [10, 13, 10]))
      }
      try await outbound.write(ByteBuffer(string: "0\r\n\r\n"))
    } catch {
      // The client has gone.
    }
  }

  private func send(
    _ response: ControlResponse, to outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) async throws {
    let (status, type, bytes): (Int, String, [UInt8]) =
      switch response {
      case .object(let status, let bytes): (status, "application/json", bytes + [10])
      case .text(let bytes): (200, "text/plain; charset=utf-8", bytes)
      case .lines: (500, "text/plain", [])
      }
    let head =
      "HTTP/1.1 \(status) \(ControlResponse.reason(status))\r\nContent-Type: \(type)\r\n"
      + "Content-Length: \(bytes.count)\r\nConnection: close\r\n\r\n"
    try await outbound.write(ByteBuffer(bytes: Array(head.utf8) + bytes))
    outbound.finish()
  }
}
