/// Answers the requests that a `LocalServer` reads.
package protocol LocalService: Sendable {
  func respond(to request: LocalRequest) async -> LocalAnswer

  /// What is said where the server itself refuses.
  ///
  /// - Parameter code: For programs; it never changes.
  func refusal(_ status: Int, _ code: String, _ message: String) -> LocalAnswer
}

/// Chunks that go on, of which the server lets the last ones be taken before it ends.
package protocol DrainableChunks: AsyncSequence<[UInt8], Never>, Sendable {
  /// All that there is has been taken and sent.
  var isDrained: Bool { get }
}

/// An answer that is sent back.
package struct LocalAnswer: Sendable {
  package enum Content: Sendable {
    case bytes([UInt8])
    /// One chunk each, for as long as somebody reads.
    case chunks(any AsyncSequence<[UInt8], Never> & Sendable)
  }

  package var status: Int
  /// Lines of the head, such as `Content-Type: text/plain`, without those that tell length and connection.
  package var headers: [String]
  package var content: Content

  package init(_ status: Int, headers: [String], _ content: Content) {
    self.status = status
    self.headers = headers
    self.content = content
  }

  package init(_ status: Int, type: String, _ bytes: [UInt8]) {
    self.init(status, headers: ["Content-Type: \(type)"], .bytes(bytes))
  }

  var head: String {
    let length =
      switch content {
      case .bytes(let bytes): "Content-Length: \(bytes.count)"
      case .chunks: "Transfer-Encoding: chunked"
      }
    let lines = ["HTTP/1.1 \(status) \(Self.reason(status))"] + headers + [length]
    return (lines + ["Connection: close", "", ""]).joined(separator: "\r\n")
  }

  /// The reason phrase of a status.
  private static func reason(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 202: "Accepted"
    case 204: "No Content"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 413: "Content Too Large"
    case 503: "Service Unavailable"
    default: "Internal Server Error"
    }
  }
}
