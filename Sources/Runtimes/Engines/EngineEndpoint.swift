package import SystemPackage

/// Where a Docker engine listens.
package enum EngineEndpoint: Hashable, Sendable, CustomStringConvertible {
  case unix(FilePath)
  case tcp(host: String, port: Int)
  case tls(host: String, port: Int, EngineTLS)
  /// As docker's own client takes it: `ssh://[USER@]HOST[:PORT]`.
  case ssh(String)

  package static let standard = EngineEndpoint.unix("/var/run/docker.sock")

  /// - Parameter tls: What secures an address of TCP, and makes 2376 its usual port.
  /// - Returns: `nil` unless the text is `unix:///PATH`, `tcp://HOST[:PORT]` or `ssh://[USER@]HOST[:PORT]`.
  package init?(_ text: String, tls: EngineTLS? = nil) {
    if text.hasPrefix("unix://") {
      let path = FilePath(String(text.dropFirst(7)))
      guard path.isAbsolute else { return nil }
      self = .unix(path)
    } else if text.hasPrefix("ssh://") {
      let host = text.dropFirst(6).prefix { $0 != "/" }.split(
        separator: "@", omittingEmptySubsequences: false
      ).last
      // A host that ssh would take for an option.
      guard let host, let first = host.first, first != "-", first != ":" else { return nil }
      self = .ssh(text)
    } else if text.hasPrefix("tcp://") || text.hasPrefix("http://") {
      guard let slashes = text.firstRange(of: "//") else { return nil }
      var address = text[slashes.upperBound...]
      if address.hasSuffix("/") { address = address.dropLast() }
      let colon = address.hasSuffix("]") ? nil : address.lastIndex(of: ":")
      let host = address[..<(colon ?? address.endIndex)]
      let usual = tls == nil ? 2375 : 2376
      let port = colon.map { Int(address[address.index(after: $0)...]) } ?? usual
      guard let port, (1...65535).contains(port), !host.isEmpty, !host.contains("/") else {
        return nil
      }
      self =
        tls.map { .tls(host: String(host), port: port, $0) } ?? .tcp(host: String(host), port: port)
    } else {
      return nil
    }
  }

  package var description: String {
    switch self {
    case .unix(let path): "unix://\(path)"
    case .tcp(let host, let port), .tls(let host, let port, _): "tcp://\(host):\(port)"
    case .ssh(let address): address
    }
  }
}
