import SystemPackage

/// Gives tokens for a `TestRegistry`; `Tests/Servers/registry-tokens.py` tells to whom.
package struct TokenServer: Sendable {
  package let daemon: TestDaemon
  /// Where tokens are asked for.
  package let realm: String

  /// By which the registry knows its tokens.
  var certificate: FilePath { daemon.directory.appending("cert.pem") }

  /// - Parameters:
  ///   - lifetime: Of a token, in seconds, give or take one.
  ///   - field: Of the answer, in which a token stands.
  package init(lifetime: Int = 300, field: String = "token") async throws {
    let port = try TestRegistry.freePort()
    realm = "http://localhost:\(port)/token"
    daemon = try await TestDaemon { directory in
      try Tool.run(
        "openssl",
        [
          "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens",
          "-keyout", "\(directory)/key.pem", "-out", "\(directory)/cert.pem",
        ])
      let script = FilePath(#filePath).removingLastComponent().removingLastComponent()
        .appending("Servers").appending("registry-tokens.py")
      return ["python3", script.string, directory.string, "\(port)", "\(lifetime)", field]
    } isReady: { _ in
      TestRegistry.listens(at: port)
    }
  }

  /// What was granted to whom: a user and scopes each.
  package func granted() throws -> [String] {
    String(decoding: try daemon.directory.appending("granted").read(), as: UTF8.self)
      .split(separator: "\n").map(String.init)
  }

  /// The one whose tokens live long, shared by the tests of this process.
  package static func shared() async throws -> TokenServer { try await starting.value }

  private static let starting = Task { try await TokenServer() }
}
