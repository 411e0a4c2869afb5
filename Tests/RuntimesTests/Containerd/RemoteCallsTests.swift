import NIOCore
import NIOPosix
import SystemPackage
import TestSupport
import Testing

@testable import Runtimes

@Suite struct RemoteCallsTests {
  private func ask(_ socket: FilePath, limit: TimeAmount = .seconds(60)) async throws -> [UInt8] {
    try await RemoteCalls.using(socket, headers: [], limit: limit) {
      try await $0.call("/lab.Service/Method", [])
    }
  }

  /// Something that answers each connection with these bytes, or not at all.
  private func listening(
    saying bytes: [UInt8]?, _ body: (FilePath) async throws -> Void
  ) async throws {
    try await withScratchDirectory { directory in
      let socket = directory.appending("socket")
      let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .childChannelInitializer { child in
          child.eventLoop.makeCompletedFuture {
            try child.pipeline.syncOperations.addHandler(Saying(bytes: bytes))
          }
        }
        .bind(unixDomainSocketPath: socket.string).get()
      do {
        try await body(socket)
        try await server.close()
      } catch {
        try await server.close()
        throw error
      }
    }
  }

  @Test func `a socket that is not there is told`() async throws {
    try await withScratchDirectory { directory in
      let error = await #expect(throws: RemoteCalls.Broken.self) {
        try await ask(directory.appending("none"))
      }
      #expect(error?.reason.contains("no such file") == true, "\(String(describing: error))")
    }
  }

  @Test func `a server that speaks something else is an error`() async throws {
    try await listening(saying: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)) { socket in
      await #expect(throws: RemoteCalls.Broken.self) { try await ask(socket) }
    }
  }

  @Test func `a server that never answers is not waited for for ever`() async throws {
    try await listening(saying: nil) { socket in
      await #expect(throws: RemoteCalls.Broken.self) {
        try await ask(socket, limit: .milliseconds(50))
      }
    }
  }

  @Test func `one that is cancelled while it waits ends`() async throws {
    try await listening(saying: nil) { socket in
      let asking = Task { try await ask(socket) }
      await Task.yield()
      asking.cancel()
      await #expect(throws: (any Error).self) { try await asking.value }
    }
  }
}

private final class Saying: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let bytes: [UInt8]?

  init(bytes: [UInt8]?) { self.bytes = bytes }

  func channelActive(context: ChannelHandlerContext) {
    guard let bytes else { return }
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
  }
}
