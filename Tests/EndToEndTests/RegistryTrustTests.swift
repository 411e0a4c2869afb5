import Runtimes
import TestSupport
import Testing

/// Servers that want more than is theirs: an nginx in the place of a registry, and another beside it.
@Suite(
  .enabled(
    if: Tool.isRequired || Tool.exists("nginx"), "needs nginx (apt-get install nginx)"))
struct RegistryTrustTests {
  /// Wants a login before anything else.
  private static let guarded = """
    if ($http_authorization = "") { add_header WWW-Authenticate 'Basic realm="x"' always; return 401; }
    """

  /// Pushes to a server that answers so, with a login for it and for nobody else.
  ///
  /// - Parameter location: Given the address of another server, which asks for all logins it can get.
  /// - Returns: Why it failed, and what the other one has seen.
  private func pushing(
    to location: (_ other: String) -> String, server: (_ other: String) -> String = { _ in "" },
    preparing prepare: (TestProxy) throws -> Void = { _ in },
    until isWritten: ([String]) -> Bool = { _ in true }
  ) async throws -> (error: RuntimeError, seen: [String], requests: [String]) {
    let port = try TestRegistry.freePort()
    let other = try await TestProxy(
      before: nil,
      location: """
        add_header WWW-Authenticate 'Bearer realm="http://localhost:\(port)/token"' always;
        return 401;
        """)
    let registry = try await TestProxy(
      before: nil, location: location(other.host), server: server(other.host))
    try prepare(registry)
    let error = try await DockerConfig.using { config in
      try config.write(user: "lab", password: "a-secret", for: registry.host)
      let push = RegistryPush(host: registry.host, environment: config.environment)
      return try await push.failure(.named("trust", base: 1000), as: "trust")
    }
    let seen = try await other.requests()
    let requests = try await registry.requests(until: isWritten)
    for daemon in [registry.daemon, other.daemon] { try await daemon.stop() }
    #expect(!"\(error)".contains("a-secret"))
    return (error, seen, requests)
  }

  @Test func `where blobs are to go learns no login`() async throws {
    let (error, seen, requests) = try await pushing(to: { _ in "\(Self.guarded) return 404;" }) {
      """
      location ~ /blobs/uploads/ {
        \(Self.guarded)
        add_header Location http://\($0)/upload always;
        return 202;
      }
      """
    }
    #expect(error.kind == .refused)
    #expect(requests.contains { $0.contains("login=Basic ") })
    #expect(seen.contains { $0.hasPrefix("PUT /upload") })
    #expect(seen.allSatisfy { $0.hasSuffix(" login=-") }, "\(seen)")
    #expect(!seen.contains { $0.contains("/token") })
  }

  @Test func `where a question is sent on to learns no login`() async throws {
    let (_, seen, requests) = try await pushing { other in
      "\(Self.guarded) return 307 http://\(other)$request_uri;"
    }
    #expect(requests.contains { $0.contains("login=Basic ") })
    #expect(seen.contains { $0.hasPrefix("HEAD /v2/lab/trust/manifests/dev ") })
    #expect(seen.allSatisfy { $0.hasSuffix(" login=-") }, "\(seen)")
  }

  @Test func `a question that is sent on and on ends`() async throws {
    let (error, _, requests) = try await pushing { _ in
      "if ($request_uri = /v2/) { return 200; } return 307 $request_uri;"
    }
    #expect(error.message.contains(" sends us on to http://localhost:"))
    #expect(requests.count < 10)
  }

  @Test func `a login is not taken elsewhere for a token without https`() async throws {
    let (error, seen, _) = try await pushing { _ in
      """
      add_header WWW-Authenticate 'Bearer realm="http://tokens.example/token"' always; return 401;
      """
    }
    #expect(
      error.message.hasSuffix(" wants a token, but names no https address that gives one"))
    #expect(seen.isEmpty)
  }

  @Test(arguments: [
    "Negotiate", "Bearer", "Bearer realm", "Bearer realm=\"\"",
    "Bearer realm=\"file:///etc/passwd\"",
    "Bearer realm=\"http://user@localhost/\"", "Bearer realm=\"https://\"", "=,=,=\"",
    "Bearer " + String(repeating: "a=b,", count: 900),
  ])
  func `a challenge that is none ends the push`(header: String) async throws {
    let (error, _, requests) = try await pushing { _ in
      "add_header WWW-Authenticate '\(header)' always; return 401;"
    }
    #expect(error.kind == .refused)
    #expect(requests.count < 4)
    #expect("\(error)".count < 500)
  }

  @Test func `a token that is none, or absurd, ends the push`() async throws {
    for answer in [
      "return 200;", "return 200 '[]';", #"return 200 '{"token":""}';"#,
      #"return 200 '{"token":"a\\r\\nX-Evil: 1"}';"#, "return 302 /token;",
    ] {
      let port = try TestRegistry.freePort()
      let (error, _, requests) = try await pushing(
        to: { _ in
          """
          add_header WWW-Authenticate 'Bearer realm="http://localhost:\(port)/token"' always;
          return 401;
          """
        },
        server: { _ in
          "listen 127.0.0.1:\(port); location = /token { default_type application/json; \(answer) }"
        })
      #expect(error.kind == .refused, "\(answer): \(error)")
      #expect(requests.count < 6, "\(answer)")
    }
  }

  @Test func `a page of two gigabytes is not read to its end`() async throws {
    let (error, _, requests) = try await pushing(
      to: { _ in
        """
        if ($request_uri = /v2/) { return 200; }
        if ($request_method = HEAD) { return 404; }
        error_page 403 /page;
        return 403;
        """
      },
      server: { _ in "location = /page { internal; send_timeout 1s; }" },
      preparing: { try Tool.run("truncate", ["-s", "2G", "\($0.daemon.directory)/page"]) },
      until: { $0.contains { $0.contains(" 403 ") } })
    #expect(error.message.contains(": 403 Forbidden from nginx/"))
    let sent = requests.filter { $0.contains(" 403 ") }
      .compactMap { $0.split(separator: "sent=").last?.prefix { $0.isNumber } }
      .compactMap { Int($0) }
    #expect(!sent.isEmpty, "\(requests)")
    #expect(sent.allSatisfy { $0 > 0 && $0 < 16 << 20 }, "\(sent)")
  }
}
