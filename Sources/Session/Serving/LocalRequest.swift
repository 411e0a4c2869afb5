import NIOHTTP1

/// A request as it came to a server of ours, whole.
package struct LocalRequest: Hashable, Sendable {
  package struct Header: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  package var method: String
  /// Without the query.
  package var path: String
  /// As it is written, not decoded.
  package var query: [String: String]
  package var headers: [Header]
  package var body: [UInt8]

  package init(_ method: String, _ uri: String, headers: [Header] = [], body: [UInt8] = []) {
    self.method = method
    let parts = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = String(parts.first ?? "")
    query = [:]
    for pair in parts.dropFirst().first?.split(separator: "&") ?? [] {
      let words = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      query[String(words[0])] = words.count > 1 ? String(words[1]) : ""
    }
    self.headers = headers
    self.body = body
  }

  init(_ head: HTTPRequestHead, body: [UInt8]) {
    self.init(
      head.method.rawValue, head.uri,
      headers: head.headers.map { Header(name: $0.name, value: $0.value) }, body: body)
  }

  /// The values of all headers of a name, however that is written.
  package subscript(name: String) -> [String] {
    headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
  }
}
