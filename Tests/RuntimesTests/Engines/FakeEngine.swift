import Glibc
import Synchronization
import SystemPackage
import TestSupport

/// An HTTP server on a socket that answers as a Docker engine is documented to, where no real one
/// can be had: another version, another store, a failure at the right moment.
final class FakeEngine: Sendable {
  struct Request: Sendable {
    var method: String
    var path: String
    var headers: [String]
    var body: [UInt8]
  }

  struct Answer: Sendable {
    var status = 200
    var body: String
    /// Close the connection instead of answering.
    var isDropped = false
  }

  let socket: FilePath
  private let listener: Int32
  private let received = Mutex<[Request]>([])
  private let answer: @Sendable (Request) -> Answer

  /// All requests so far.
  var requests: [Request] { received.withLock { $0 } }
  var loads: [Request] { requests.filter { $0.path.hasPrefix("/images/load") } }

  private init(_ socket: FilePath, _ answer: @escaping @Sendable (Request) -> Answer) throws {
    self.socket = socket
    self.answer = answer
    listener = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socket.string.utf8) }
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard bound == 0, listen(listener, 16) == 0 else { throw Errno(rawValue: errno) }
  }

  /// Runs `body` beside an engine that answers so.
  static func serving<Value>(
    _ answer: @escaping @Sendable (Request) -> Answer,
    _ body: (FakeEngine) async throws -> Value
  ) async throws -> Value {
    try await withScratchDirectory { directory in
      let engine = try FakeEngine(directory.appending("docker.sock"), answer)
      let thread = try startThread { engine.serve() }
      defer {
        shutdown(engine.listener, Int32(SHUT_RDWR))
        pthread_join(thread, nil)
        close(engine.listener)
      }
      return try await body(engine)
    }
  }

  private func serve() {
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { return }
      defer { close(connection) }
      guard let request = Self.read(from: connection) else { continue }
      received.withLock { $0.append(request) }
      let answer = answer(request)
      if answer.isDropped { continue }
      let text =
        "HTTP/1.1 \(answer.status) X\r\nContent-Length: \(answer.body.utf8.count)\r\n"
        + "Connection: close\r\n\r\n\(answer.body)"
      // A client that has gone is what some tests are about.
      _ = try? FileDescriptor(rawValue: connection).writeAll(text.utf8)
    }
  }

  private static func read(from connection: Int32) -> Request? {
    var bytes: [UInt8] = []
    var head: [String] = []
    var length = 0
    var start = 0
    while head.isEmpty || bytes.count < start + length {
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      bytes += buffer[..<count]
      if head.isEmpty, let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
        head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
          .split(separator: "\r\n").map(String.init)
        start = end.upperBound
        let field = head.first { $0.lowercased().hasPrefix("content-length:") }
        length = field.flatMap { Int($0.dropFirst(15).filter { $0 != " " }) } ?? 0
      }
    }
    let words = head[0].split(separator: " ").map(String.init)
    guard words.count == 3 else { return nil }
    return Request(
      method: words[0], path: words[1], headers: Array(head.dropFirst()),
      body: Array(bytes[start...]))
  }
}

private final class ThreadBody {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// A thread of its own: blocking calls must not hold those that tests run on.
private func startThread(_ body: @escaping @Sendable () -> Void) throws -> pthread_t {
  var thread = pthread_t()
  let box = Unmanaged.passRetained(ThreadBody(body)).toOpaque()
  let error = pthread_create(
    &thread, nil,
    { argument in
      if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run() }
      return nil
    }, box)
  guard error == 0 else { throw Errno(rawValue: error) }
  return thread
}
