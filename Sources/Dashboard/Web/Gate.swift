import Session

/// Decides who is answered: a value, without a socket.
///
/// - `Host` is the address that we listen at, so that no name that an attacker's DNS points here is served.
/// - `Origin`, where a browser sends it, is our own page; a request that changes anything must have it.
/// - The token is in the address once, then in a cookie that no script and no other site's request has.
struct Gate: Sendable {
  enum Verdict: Hashable, Sendable {
    case allowed
    /// What is wrong.
    case forged(String)
    /// It does not know the token.
    case stranger
  }

  let token: DashboardToken
  let host: String
  let port: Int

  /// Cookies are not kept apart by port, so that the name has it.
  var cookieName: String { "watchbuild-\(port)" }

  var cookie: String {
    "\(cookieName)=\(token.text); Path=/; HttpOnly; SameSite=Strict"
  }

  /// Without the token.
  var origin: String { "http://\(authority(host))" }

  private func authority(_ host: String) -> String {
    "\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }

  private var authorities: Set<String> {
    let hosts = [host, "localhost"]
    return Set(hosts.map(authority) + (port == 80 ? hosts : []))
  }

  /// - Parameter isPublic: What anybody may read, as the page's script.
  func verdict(on request: LocalRequest, isPublic: Bool = false) -> Verdict {
    let hosts = request["Host"]
    guard hosts.count == 1, authorities.contains(hosts[0].lowercased()) else {
      return .forged("the Host is another's")
    }
    let origins = request["Origin"]
    if !origins.isEmpty || request.method != "GET" {
      guard origins.count == 1, origins[0].lowercased() == "http://\(hosts[0].lowercased())" else {
        return .forged("the Origin is another's")
      }
    }
    // A browser says what a request is for. A link from elsewhere may lead to the page, and nothing else.
    let sites = request["Sec-Fetch-Site"]
    let isNavigation = request.path == "/" && request["Sec-Fetch-Dest"] == ["document"]
    guard isNavigation || sites.allSatisfy({ $0 == "same-origin" || $0 == "none" }) else {
      return .forged("another site asks")
    }
    if isPublic || knowsToken(request) { return .allowed }
    return .stranger
  }

  private func knowsToken(_ request: LocalRequest) -> Bool {
    if request.path == "/", let given = request.query["token"] { return token.matches(given) }
    let bearers = request["Authorization"].filter { $0.hasPrefix("Bearer ") }
    if let bearer = bearers.first { return token.matches(String(bearer.dropFirst(7))) }
    return request["Cookie"].flatMap { $0.split(separator: ";") }.contains { pair in
      let words = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
      return words.count == 2 && words[0] == cookieName && token.matches(String(words[1]))
    }
  }
}
