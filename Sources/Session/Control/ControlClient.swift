import Glibc
package import SystemPackage

/// A program's end of the control socket: one request, one answer. Waits in the kernel, and loads nothing.
package struct ControlClient: Sendable {
  package enum Failure: Error, Hashable, CustomStringConvertible {
    /// Nobody listens at any of the places.
    case nobody
    /// The answer did not come in time.
    case timeout
    /// The other side has gone, or says what no `dev` says.
    case broken(String)
    /// The socket is another user's.
    case stranger(FilePath)

    package var description: String {
      switch self {
      case .nobody: "no dev runs for this workspace"
      case .timeout: "no answer in time"
      case .broken(let text): text
      case .stranger(let path): "\(path) belongs to another user"
      }
    }
  }

  /// An answer, whole.
  package struct Response: Hashable, Sendable {
    package var status: Int
    package var body: [UInt8]

    package init(status: Int, body: [UInt8]) {
      self.status = status
      self.body = body
    }
  }

  private let connection: Connection

  /// The process that answers; 0 where it is one of another PID namespace.
  package var process: Int32 { connection.process }

  /// Connects to the first place where somebody listens.
  ///
  /// - Throws: `Failure.nobody`, `.stranger`.
  package init(places: [ControlPlace]) throws(Failure) {
    for place in places {
      if let connection = try Connection(place) {
        self.connection = connection
        return
      }
    }
    throw .nobody
  }

  /// Sends a request and waits for the whole answer.
  ///
  /// - Parameters:
  ///   - method: `GET` or `POST`.
  ///   - path: With its query.
  ///   - body: JSON, or nothing.
  ///   - patience: How long to wait for each part of the answer; `nil`: for ever.
  package func ask(
    _ method: String, _ path: String, body: [UInt8] = [], patience: Duration? = nil
  ) throws(Failure) -> Response {
    var content: [UInt8] = []
    let status = try stream(method, path, body: body, patience: patience) { content += $0 }
    return Response(status: status, body: content)
  }

  /// Sends a request and hands on the answer's body as it comes.
  ///
  /// - Returns: The status.
  package func stream(
    _ method: String, _ path: String, body: [UInt8] = [], patience: Duration? = nil,
    _ take: (ArraySlice<UInt8>) throws(Failure) -> Void
  ) throws(Failure) -> Int {
    let head =
      "\(method) \(path) HTTP/1.1\r\nHost: watchbuild\r\nContent-Type: application/json\r\n"
      + "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
    try connection.write(Array(head.utf8) + body)
    var answer = AnswerReader()
    while !answer.isComplete {
      let bytes = try connection.read(patience: patience)
      guard !bytes.isEmpty else {
        guard answer.mayEndHere else { throw .broken("the dev ended before it answered") }
        break
      }
      let content: ArraySlice<UInt8>
      do {
        content = try answer.add(bytes)[...]
      } catch {
        throw .broken("what answers at the control socket is no dev: \(error)")
      }
      if !content.isEmpty { try take(content) }
    }
    return answer.status
  }
}

/// A connected socket.
private final class Connection: Sendable {
  private let socket: Int32
  let process: Int32

  /// - Returns: `nil` where nobody listens.
  init?(_ place: ControlPlace) throws(ControlClient.Failure) {
    let directory = open(place.directory.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { return nil }
    defer { close(directory) }
    let type = [SOCK_STREAM, SOCK_CLOEXEC].reduce(0) { $0 | $1.rawValue }
    let socket = Glibc.socket(AF_UNIX, Int32(type), 0)
    guard socket >= 0 else { return nil }
    guard UnixAddress.with(place.name, in: directory, { connect(socket, $0, $1) }) == 0 else {
      close(socket)
      return nil
    }
    guard let peer = PeerIdentity.of(socket), peer.isTrusted else {
      close(socket)
      throw .stranger(place.path)
    }
    self.socket = socket
    process = peer.process
  }

  deinit { close(socket) }

  func write(_ bytes: [UInt8]) throws(ControlClient.Failure) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR { continue }
      // What it said before it closed is still there to be read.
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  /// - Returns: Nothing at the end.
  func read(patience: Duration?) throws(ControlClient.Failure) -> [UInt8] {
    var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    let limit = patience.map { Int32(clamping: $0.components.seconds * 1000 + 1) } ?? -1
    let ready = poll(&descriptor, 1, limit)
    if ready == 0 { throw .timeout }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = buffer.withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, 0) }
      if count < 0, errno == EINTR { continue }
      return count > 0 ? Array(buffer[..<count]) : []
    }
  }
}
