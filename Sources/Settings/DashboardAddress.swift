package import Basics

/// Where the dashboard is served, as `--ui` names it.
package struct DashboardAddress: Hashable, Sendable {
  /// An address of the loopback interface, without brackets.
  package var host: String
  /// `nil`: one that is free.
  package var port: Int?

  package init(host: String = "127.0.0.1", port: Int? = nil) {
    self.host = host
    self.port = port
  }

  /// As `--ui` takes it.
  package var text: String {
    let host = host.contains(":") ? "[\(host)]" : host
    return port.map { "\(host):\($0)" } ?? host
  }
}

extension SettingText {
  /// A port, a host, or both as `HOST:PORT`; nothing: a free port of 127.0.0.1.
  ///
  /// The page tells what is built and can have it built, so it is served to this machine alone.
  package static func dashboard(_ text: String) throws(InvalidValue) -> DashboardAddress {
    if text.isEmpty { return DashboardAddress() }
    if text.allSatisfy(\.isNumber) { return DashboardAddress(port: try port(text)) }
    var host = text
    var port: Int?
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { throw noAddress(text) }
      host = String(text[text.index(after: text.startIndex)..<end])
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { throw noAddress(text) }
      if !rest.isEmpty { port = try self.port(String(rest.dropFirst())) }
    } else if text != "::1", let colon = text.lastIndex(of: ":") {
      host = String(text[..<colon])
      port = try self.port(String(text[text.index(after: colon)...]))
    }
    guard let loopback = loopback(host) else {
      throw InvalidValue(
        "'\(host)' is no address of this machine's loopback interface, and the dashboard is served nowhere else; "
          + "write a port, 127.0.0.1:PORT or [::1]:PORT")
    }
    return DashboardAddress(host: loopback, port: port)
  }

  private static func noAddress(_ text: String) -> InvalidValue {
    InvalidValue("'\(text)' is no address; write a port, 127.0.0.1:PORT or [::1]:PORT")
  }

  private static func port(_ text: String) throws(InvalidValue) -> Int {
    guard let port = Int(text), (1...65_535).contains(port) else {
      throw InvalidValue("'\(text)' is no port; write a number from 1 to 65535")
    }
    return port
  }

  /// The address as it is bound; `nil`: it is not of the loopback interface.
  private static func loopback(_ host: String) -> String? {
    if host.lowercased() == "localhost" { return "127.0.0.1" }
    if host == "::1" { return host }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    let isAddress =
      parts.count == 4
      && parts.allSatisfy { part in
        part.allSatisfy(\.isNumber) && UInt8(part) != nil
      }
    return isAddress && parts[0] == "127" ? host : nil
  }
}
