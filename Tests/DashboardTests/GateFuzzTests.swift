import Session
import TestSupport
import Testing

@testable import Dashboard

/// Requests made by chance: whoever does not know the token is never let in, whatever is sent.
@Suite(.timeLimit(.minutes(30))) struct GateFuzzTests {
  private static let token = DashboardToken()
  private let gate = Gate(token: token, host: "127.0.0.1", port: 4000)

  @Test func `no request without the token is allowed`() {
    let good = [
      "GET|/?token=0123456789abcdef|Host|127.0.0.1:4000",
      "POST|/v1/trigger|Host|127.0.0.1:4000|Origin|http://127.0.0.1:4000",
      "GET|/events|Host|127.0.0.1:4000|Cookie|watchbuild-4000=0123",
      "GET|/events|Host|localhost:4000|Authorization|Bearer x",
    ].map { Array($0.utf8) }
    var fuzz = Fuzz(
      "dashboard",
      words: [
        "token=", "&", "%", "%2", "%00", "watchbuild-4000=", "; ", "|Host|127.0.0.1:4000",
        "Bearer ",
      ])
    for _ in 0..<fuzz.cases {
      var fields = String(decoding: fuzz.mutated(good), as: UTF8.self).split(
        separator: "|", omittingEmptySubsequences: false
      ).map(String.init)
      if fields.count % 2 == 1 { fields.append("") }
      guard fields.count >= 2 else { continue }
      let headers = stride(from: 2, to: fields.count, by: 2).map {
        LocalRequest.Header(name: fields[$0], value: fields[$0 + 1])
      }
      let request = LocalRequest(fields[0], fields[1], headers: headers)
      #expect(gate.verdict(on: request, isPublic: false) != .allowed, "\(fields)")
    }
  }
}
