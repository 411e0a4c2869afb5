/// The demand of a registry that answers 401.
///
/// Source: https://distribution.github.io/distribution/spec/auth/token/
enum RegistryChallenge: Hashable {
  case basic
  /// `rejectsToken`: The token that was sent is of no use, such as one that has ended on the way (RFC 6750,
  /// section 3.1); one that does not allow enough is not meant.
  case bearer(realm: String, service: String?, rejectsToken: Bool = false)

  var rejectsToken: Bool {
    if case .bearer(_, _, true) = self { true } else { false }
  }

  /// - Returns: `nil` for a scheme that is neither, and for one that is absurdly long.
  init?(_ header: String) {
    guard header.utf8.count <= 8192 else { return nil }
    let parts = header.split(separator: " ", maxSplits: 1)
    guard let scheme = parts.first?.lowercased() else { return nil }
    if scheme == "basic" {
      self = .basic
      return
    }
    guard scheme == "bearer", parts.count == 2 else { return nil }
    let fields = Self.fields(parts[1])
    guard let realm = fields["realm"] else { return nil }
    self = .bearer(
      realm: realm, service: fields["service"], rejectsToken: fields["error"] == "invalid_token")
  }

  /// `a="b",c="d, e"`
  private static func fields(_ text: Substring) -> [String: String] {
    var fields: [String: String] = [:]
    var rest = text
    while let equals = rest.firstIndex(of: "=") {
      let key = rest[..<equals].filter { $0 != " " && $0 != "," }.lowercased()
      rest = rest[equals...].dropFirst()
      let value: Substring
      if rest.first == "\"" {
        rest = rest.dropFirst()
        value = rest.prefix { $0 != "\"" }
        rest = rest.dropFirst(value.count + 1)
      } else {
        value = rest.prefix { $0 != "," }
        rest = rest.dropFirst(value.count)
      }
      fields[key] = String(value)
    }
    return fields
  }
}
