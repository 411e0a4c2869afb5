/// Where a registry is, and under which prefix images go there.
package struct RegistryAddress: Hashable, Sendable, CustomStringConvertible {
  /// With its port, where one was given.
  package let host: String
  /// Without slashes around it; may be empty.
  package let prefix: String

  /// - Returns: `nil` unless the text is `HOST[:PORT][/PREFIX]`, the host `localhost` or with a dot or
  ///   port, as in an image's name.
  package init?(_ text: String) {
    let text = text.hasSuffix("/") ? String(text.dropLast()) : text
    guard let probe = ImageReference("\(text)/x"), let host = probe.host else { return nil }
    self.host = host
    prefix = String(probe.path.dropLast(2))
  }

  /// Where an image of that name goes: its path under ours, and its own registry left out.
  func repository(of reference: ImageReference) -> String {
    prefix.isEmpty ? reference.path : "\(prefix)/\(reference.path)"
  }

  /// On this machine, where no certificate is asked for.
  var isLocal: Bool {
    let name = host.split(separator: ":").first ?? ""
    return name == "localhost" || name.hasPrefix("127.")
  }

  package var description: String { prefix.isEmpty ? host : "\(host)/\(prefix)" }
}
