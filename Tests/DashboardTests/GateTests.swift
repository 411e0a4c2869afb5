import Session
import Testing

@testable import Dashboard

struct GateTests {
  private static let token = DashboardToken()
  private let gate = Gate(token: token, host: "127.0.0.1", port: 4000)

  private func verdict(
    _ method: String = "GET", _ uri: String = "/events", _ headers: [(String, String)],
    isPublic: Bool = false
  ) -> Gate.Verdict {
    gate.verdict(
      on: LocalRequest(method, uri, headers: headers.map { .init(name: $0.0, value: $0.1) }),
      isPublic: isPublic)
  }

  private static let host = ("Host", "127.0.0.1:4000")
  private static let cookie = ("Cookie", "a=b; watchbuild-4000=\(token.text)")

  @Test func `the token in the address, a cookie or a header lets in`() {
    #expect(verdict("GET", "/?token=\(Self.token.text)", [Self.host]) == .allowed)
    #expect(verdict([Self.host, Self.cookie] as [(String, String)]) == .allowed)
    #expect(
      verdict([Self.host, ("Authorization", "Bearer \(Self.token.text)")]) == .allowed)
  }

  private func verdict(_ headers: [(String, String)]) -> Gate.Verdict {
    verdict("GET", "/events", headers)
  }

  @Test(
    arguments: [
      [], [("Cookie", "watchbuild-4001=\(token.text)")], [("Cookie", "watchbuild-4000=")],
      [("Cookie", "watchbuild-4000=\(String(token.text.reversed()))x")],
      [("Authorization", "Bearer ")],
    ] as [[(String, String)]])
  func `whoever does not know the token is a stranger`(headers: [(String, String)]) {
    #expect(verdict([Self.host] + headers) == .stranger)
    #expect(verdict("GET", "/?token=\(DashboardToken().text)", [Self.host] + headers) == .stranger)
  }

  @Test(arguments: ["evil.example", "evil.example:4000", "127.0.0.1", "127.0.0.1:4001", ""])
  func `a name that leads here from elsewhere is not served`(host: String) {
    guard case .forged = verdict([("Host", host), Self.cookie]) else {
      Issue.record("\(host) is served")
      return
    }
  }

  @Test func `a change wants our own page as its origin`() {
    let own = ("Origin", "http://127.0.0.1:4000")
    #expect(verdict("POST", "/trigger", [Self.host, Self.cookie, own]) == .allowed)
    for origin in ["http://evil.example", "null", "https://127.0.0.1:4000"] {
      #expect(
        verdict("POST", "/trigger", [Self.host, Self.cookie, ("Origin", origin)])
          == .forged("the Origin is another's"))
    }
    #expect(
      verdict("POST", "/trigger", [Self.host, Self.cookie]) == .forged("the Origin is another's"))
  }

  @Test func `another site may lead to the page, and fetch nothing`() {
    let site = ("Sec-Fetch-Site", "cross-site")
    #expect(
      verdict("GET", "/", [Self.host, Self.cookie, site, ("Sec-Fetch-Dest", "document")])
        == .allowed)
    #expect(
      verdict("GET", "/events", [Self.host, Self.cookie, site]) == .forged("another site asks"))
    #expect(
      verdict("GET", "/page/app.js", [Self.host, site], isPublic: true)
        == .forged("another site asks"))
  }

  @Test func `tokens are random, and nothing else is one`() {
    #expect(DashboardToken() != DashboardToken())
    #expect(DashboardToken().text.count == 32)
    for text in ["", "0", String(repeating: "g", count: 32), String(repeating: "0", count: 33)] {
      #expect(DashboardToken(text) == nil)
    }
  }
}
