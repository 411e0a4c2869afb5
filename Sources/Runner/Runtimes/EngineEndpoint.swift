package import SystemPackage

/// Where a Docker engine listens.
package enum EngineEndpoint: Hashable, Sendable, CustomStringConvertible {
  case unix(FilePath)
  case tcp(host: String, port: Int)

  package static let standard = EngineEndpoint.unix("/var/run/docker.sock")

  /// The engine that `DOCKER_HOST` names, else the one on the standard socket.
  ///
  /// Contexts of the docker CLI are not followed.
  ///
  /// - Throws: `RuntimeError` for an address that we can't speak to.
  package init(environment: [String: String]) throws(RuntimeError) {
    guard let text = environment["DOCKER_HOST"], !text.isEmpty else {
      self = .standard
      return
    }
    guard let endpoint = Self(text) else {
      throw RuntimeError(
        runtime: "docker", kind: .unreachable,
        message: "DOCKER_HOST=\(text) is not supported",
        hint: "give unix:///PATH or tcp://HOST:PORT, or choose --load oci:DIR")
    }
    // An engine behind TLS would answer an unencrypted request with an error that explains nothing.
    if case .tcp = endpoint, let verify = environment["DOCKER_TLS_VERIFY"], !verify.isEmpty {
      throw RuntimeError(
        runtime: "docker", kind: .unreachable,
        message: "DOCKER_TLS_VERIFY is set, and TLS to \(endpoint) is not supported",
        hint: "give DOCKER_HOST=unix:///PATH, or choose --load oci:DIR")
    }
    self = endpoint
  }

  /// - Returns: `nil` unless the text is `unix:///PATH` or `tcp://HOST[:PORT]`.
  package init?(_ text: String) {
    if text.hasPrefix("unix://") {
      let path = FilePath(String(text.dropFirst(7)))
      guard path.isAbsolute else { return nil }
      self = .unix(path)
    } else if text.hasPrefix("tcp://") || text.hasPrefix("http://") {
      guard let slashes = text.firstRange(of: "//") else { return nil }
      var address = text[slashes.upperBound...]
      if address.hasSuffix("/") { address = address.dropLast() }
      let colon = address.hasSuffix("]") ? nil : address.lastIndex(of: ":")
      let host = address[..<(colon ?? address.endIndex)]
      // The port that Docker gives to an address without one.
      let port = colon.map { Int(address[address.index(after: $0)...]) } ?? 2375
      guard let port, (1...65535).contains(port), !host.isEmpty, !host.contains("/") else {
        return nil
      }
      self = .tcp(host: String(host), port: port)
    } else {
      return nil
    }
  }

  package var description: String {
    switch self {
    case .unix(let path): "unix://\(path)"
    case .tcp(let host, let port): "tcp://\(host):\(port)"
    }
  }
}
