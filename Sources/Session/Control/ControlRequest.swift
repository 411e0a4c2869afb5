import NIOHTTP1

/// A request as it came over the socket, whole.
struct ControlRequest: Hashable, Sendable {
  /// Names that a client of this machine may call us by: `curl --unix-socket` and ours.
  private static let hosts: Set = ["localhost", "watchbuild"]

  var method: String
  /// Without the query.
  var path: String
  /// As it is written, not decoded: numbers are all that is asked for.
  var query: [String: String]
  var hosts: [String]
  var hasOrigin: Bool
  var body: [UInt8]

  init(_ head: HTTPRequestHead, body: [UInt8]) {
    method = head.method.rawValue
    let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = String(parts.first ?? "")
    query = [:]
    for pair in parts.dropFirst().first?.split(separator: "&") ?? [] {
      let words = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      query[String(words[0])] = words.count > 1 ? String(words[1]) : ""
    }
    hosts = head.headers["Host"]
    hasOrigin = head.headers.contains(name: "Origin")
    self.body = body
  }

  /// The text that `%2F` and the like stand for; what stands for nothing stays as it is.
  static func decoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let first = rest.first {
      let digits = String(decoding: rest.dropFirst().prefix(2), as: UTF8.self)
      if first == UInt8(ascii: "%"), digits.count == 2, let byte = UInt8(digits, radix: 16) {
        bytes.append(byte)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(first)
        rest = rest.dropFirst()
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A page in a browser sends where it comes from, or another host's name: neither is ours to serve.
  var isForged: Bool {
    guard hosts.count == 1, !hasOrigin else { return true }
    let host = hosts[0].split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
    return !Self.hosts.contains(host.lowercased())
  }
}
