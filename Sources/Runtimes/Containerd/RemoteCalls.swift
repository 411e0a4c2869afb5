import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import Synchronization
import SystemPackage

/// Unary gRPC calls over a unix socket.
///
/// One message there, one back, both as bytes, each call a stream of one HTTP/2 connection. A gRPC
/// library would bring much that is not needed on the way to a socket of this machine.
/// Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
struct RemoteCalls: Sendable {
  /// The server's answer is an error.
  struct Refusal: Error, Hashable {
    /// Source: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
    var code: Int
    var message: String

    var isNotFound: Bool { code == 5 }
  }

  /// The server is not there, or does not speak gRPC.
  struct Broken: Error, Hashable {
    var reason: String
  }

  private typealias Stream = NIOAsyncChannel<HTTP2Frame.FramePayload, HTTP2Frame.FramePayload>

  private let streams: NIOHTTP2Handler.AsyncStreamMultiplexer<Void>
  private let headers: [(String, String)]

  /// More than any answer that we ask for.
  private static let answerLimit = 4 << 20

  /// Runs `body` with a connection, which is closed afterwards.
  ///
  /// - Parameters:
  ///   - headers: Sent with each call.
  ///   - limit: Of the whole time; then every call fails.
  /// - Throws: `Broken` and what `body` throws.
  static func using<Value: Sendable>(
    _ socket: FilePath, headers: [(String, String)], limit: TimeAmount = .seconds(90),
    _ body: (RemoteCalls) async throws -> Value
  ) async throws -> Value {
    let channel: any Channel
    let streams: NIOHTTP2Handler.AsyncStreamMultiplexer<Void>
    do {
      (channel, streams) = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connect(unixDomainSocketPath: socket.string) { channel in
          channel.eventLoop.makeCompletedFuture {
            let streams = try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(
              mode: .client
            ) { stream in
              // Servers open none.
              stream.close()
            }
            try channel.pipeline.syncOperations.addHandler(ClosingOnError())
            return (channel, streams)
          }
        }
    } catch let error as IOError {
      throw Broken(reason: "\(Errno(rawValue: error.errnoCode))".lowercased())
    } catch {
      throw Broken(reason: "\(error)")
    }
    // Closing fails every call that waits. It may be closed already.
    let isLate = Mutex(false)
    let end = channel.eventLoop.scheduleTask(in: limit) {
      isLate.withLock { $0 = true }
      channel.close(promise: nil)
    }
    defer {
      end.cancel()
      channel.close(promise: nil)
    }
    do {
      return try await body(RemoteCalls(streams: streams, headers: headers))
    } catch is Broken where isLate.withLock(\.self) {
      throw Broken(reason: "not within \(limit.nanoseconds / 1_000_000_000) s")
    }
  }

  /// - Parameters:
  ///   - method: `/package.Service/Method`
  /// - Throws: `Refusal`, `Broken`, `CancellationError`.
  func call(_ method: String, _ message: [UInt8]) async throws -> [UInt8] {
    do {
      let stream = try await streams.openStream { stream in
        stream.eventLoop.makeCompletedFuture {
          try Stream(wrappingChannelSynchronously: stream)
        }
      }
      return try await stream.executeThenClose { inbound, outbound in
        try await outbound.write(.headers(.init(headers: requestHeaders(method))))
        var body = ByteBuffer()
        // Not compressed.
        body.writeInteger(UInt8(0))
        body.writeInteger(UInt32(message.count))
        body.writeBytes(message)
        try await outbound.write(.data(.init(data: .byteBuffer(body), endStream: true)))
        return try await answer(inbound)
      }
    } catch let error as Refusal {
      throw error
    } catch let error as Broken {
      throw error
    } catch {
      if error is CancellationError || Task.isCancelled { throw CancellationError() }
      throw Broken(reason: "\(error)")
    }
  }

  private func requestHeaders(_ method: String) -> HPACKHeaders {
    HPACKHeaders(
      [
        (":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "localhost"),
        ("content-type", "application/grpc"), ("te", "trailers"),
      ] + headers)
  }

  private func answer(
    _ frames: NIOAsyncChannelInboundStream<HTTP2Frame.FramePayload>
  ) async throws -> [UInt8] {
    var bytes = ByteBuffer()
    var refusal: Refusal?
    var isWhole = false
    for try await frame in frames {
      switch frame {
      case .data(let data):
        if case .byteBuffer(var part) = data.data { bytes.writeBuffer(&part) }
        guard bytes.readableBytes <= Self.answerLimit else {
          throw Broken(reason: "it says too much")
        }
      case .headers(let part):
        // With the first headers if there is nothing but an error, else with the last.
        guard let status = part.headers.first(name: "grpc-status") else { continue }
        isWhole = true
        if status != "0" {
          refusal = Refusal(
            code: Int(status) ?? 2, message: part.headers.first(name: "grpc-message") ?? "no reason"
          )
        }
      default: continue
      }
    }
    if let refusal { throw refusal }
    guard isWhole, let compression = bytes.readInteger(as: UInt8.self), compression == 0,
      let length = bytes.readInteger(as: UInt32.self),
      let message = bytes.readBytes(length: Int(length)), bytes.readableBytes == 0
    else { throw Broken(reason: "its answer was cut short") }
    return message
  }
}

/// Closes a connection on which something else is spoken, so that nobody waits for an answer.
private final class ClosingOnError: ChannelInboundHandler {
  typealias InboundIn = Never

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
