import Images

/// Where a registry is, and under which prefix images go there.
package struct RegistryAddress: Hashable, Sendable, CustomStringConvertible {
  /// With its port, where one was given.
  package let host: String
  /// Without slashes around it; may be empty.
  package let prefix: String

  /// - Returns: `nil` unless the text is `HOST[:PORT][/PREFIX]`, the host `localhost`, an IPv6 address
  ///   in brackets, or with a dot or port, as in an image's name.
  package init?(_ text: String) {
    let text = text.hasSuffix("/") ? String(text.dropLast()) : text
    // Names of images know no brackets: the rest is judged as behind a host that they know.
    let literal = text.hasPrefix("[") ? text.prefix { $0 != "]" } + "]" : ""
    let rest = text.dropFirst(literal.count)
    if !literal.isEmpty {
      guard text.contains("]"), WebOrigin.isIPv6(literal.dropFirst().dropLast()),
        rest.isEmpty || rest.hasPrefix(":") || rest.hasPrefix("/")
      else { return nil }
    }
    let known = literal.isEmpty ? "" : "localhost"
    guard let probe = ImageReference("\(known)\(rest)/x"), let host = probe.host else { return nil }
    self.host = literal + host.dropFirst(known.count)
    prefix = String(probe.path.dropLast(2))
  }

  /// Where docker's own registry answers, whose images' names begin with another word.
  static let hub = "registry-1.docker.io"

  /// - Parameter registry: As a base image's name begins.
  init?(of registry: String) {
    let isHub = ["docker.io", "index.docker.io"].contains(registry)
    self.init(isHub ? Self.hub : registry)
  }

  /// Where an image of that name goes: its path under ours, and its own registry left out.
  func repository(of reference: ImageReference) -> String {
    prefix.isEmpty ? reference.path : "\(prefix)/\(reference.path)"
  }

  /// On this machine, where no certificate is asked for.
  var isLocal: Bool { WebOrigin("http://\(host)")?.isLoopback == true }

  package var description: String { prefix.isEmpty ? host : "\(host)/\(prefix)" }
}

/// The permission that a request to a registry needs.
struct RegistryAccess: Hashable, Sendable {
  /// To be read and written; `nil`: nothing, when only the registry itself is asked.
  var repository: String?
  /// To be read: a blob is mounted from there.
  var source: String?

  /// Source: https://distribution.github.io/distribution/spec/auth/scope/
  var scopes: [String] {
    [
      repository.map { "repository:\($0):pull,push" }, source.map { "repository:\($0):pull" },
    ].compactMap(\.self)
  }
}
