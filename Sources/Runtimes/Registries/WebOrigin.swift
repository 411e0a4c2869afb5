/// Scheme, host and port of an address: whom a login is meant for.
///
/// Stricter than a URL: what two readers could understand differently is refused.
struct WebOrigin: Hashable, Sendable, CustomStringConvertible {
  let isSecure: Bool
  /// In lower case; an IPv6 address in its brackets.
  let host: String
  let port: Int

  /// - Returns: `nil` unless the text is an absolute `http` or `https` address without a user's name.
  init?(_ address: String) {
    guard address.utf8.count <= 8192,
      address.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }),
      let mark = address.firstRange(of: "://")
    else { return nil }
    switch address[..<mark.lowerBound].lowercased() {
    case "http": isSecure = false
    case "https": isSecure = true
    default: return nil
    }
    let authority = address[mark.upperBound...].prefix { !"/?#".contains($0) }.lowercased()
    let host: Substring
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { return nil }
      host = authority[...end]
      guard Self.isIPv6(host.dropFirst().dropLast()) else { return nil }
    } else {
      host = authority.prefix { $0 != ":" }
      guard !host.isEmpty, host.utf8.allSatisfy(Self.isOfName) else { return nil }
    }
    let rest = authority[host.endIndex...]
    if rest.isEmpty {
      port = isSecure ? 443 : 80
    } else {
      guard rest.first == ":", rest.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let number = UInt16(rest.dropFirst())
      else { return nil }
      port = Int(number)
    }
    self.host = String(host)
  }

  var description: String {
    let isUsual = port == (isSecure ? 443 : 80)
    return "\(isSecure ? "https" : "http")://\(host)\(isUsual ? "" : ":\(port)")"
  }

  /// On this machine, by its name or address alone: what a name resolves to is not asked.
  var isLoopback: Bool {
    if host == "localhost" || host == "[::1]" { return true }
    let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    return numbers.count == 4 && numbers.first == 127 && !numbers.contains(nil)
  }

  /// The absolute address that a `Location` means in an answer to a request of `address`.
  static func resolve(_ location: String, against address: String) -> String {
    if WebOrigin(location) != nil || location.contains("://") && !location.hasPrefix("/") {
      return location
    }
    guard let mark = address.firstRange(of: "://") else { return location }
    let path = address[mark.upperBound...].prefix { !"?#".contains($0) }
    if location.hasPrefix("/") {
      let authority = path.prefix { $0 != "/" }
      return "\(address[..<mark.upperBound])\(authority)\(location)"
    }
    let directory = path.lastIndex(of: "/").map { path[...$0] } ?? "\(path)/"
    return "\(address[..<mark.upperBound])\(directory)\(location)"
  }

  static func isIPv6(_ text: some StringProtocol) -> Bool {
    text.utf8.count { $0 == UInt8(ascii: ":") } >= 2
      && text.allSatisfy { $0.isASCII && ($0.isHexDigit || $0 == ":" || $0 == ".") }
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
