import Runtimes
import TestSupport
import Testing

/// What stands before registries: an nginx with the settings that people give it.
@Suite(
  .enabled(
    if: Tool.isRequired || Tool.exists("docker-registry") && Tool.exists("nginx"),
    "needs docker-registry and nginx (apt-get install docker-registry nginx)"))
struct RegistryProxyTests {
  /// Runs `body` with a proxy before the shared registry.
  private func proxied<Value>(
    location: String = "", server: String = "", http: String = "",
    _ body: (TestProxy) async throws -> Value
  ) async throws -> Value {
    let registry = try await TestRegistry.shared()
    let proxy = try await TestProxy(
      before: registry.host, location: location, server: server, http: http)
    let value = try await body(proxy)
    try await proxy.daemon.stop()
    return value
  }

  @Test(arguments: [
    "limit_except GET POST PUT { deny all; }", "if ($request_method = PATCH) { return 404; }",
    "if ($request_method = PATCH) { return 405; }",
  ])
  func `where no pieces are taken, a layer goes at once`(directive: String) async throws {
    let name = "unpatched\(directive.filter { $0.isNumber })"
    let image = TestImage.named(name)
    try await proxied(location: directive) { proxy in
      let push = RegistryPush(host: proxy.host, pieceSize: 100_000)
      let result = try await push(image, as: name)
      #expect(result.layersSent == 2)
      #expect(try RegistryPush.held(proxy.host, "lab/\(name):dev") == image.id)
      let requests = try await proxy.requests { $0.contains { $0.hasPrefix("PATCH ") } }
      #expect(requests.count { $0.hasPrefix("PATCH ") } == 1, "\(requests)")
    }
  }

  @Test(arguments: [Int64(100_000), 32 << 20])
  func `a limit for bodies is told with who has it`(pieceSize: Int64) async throws {
    try await proxied(location: "client_max_body_size 50k;") { proxy in
      let push = RegistryPush(host: proxy.host, pieceSize: pieceSize)
      let error = try await push.failure(.named("too-large"), as: "too-large")
      #expect(
        error.message.hasPrefix(
          "\(proxy.host)/lab/too-large:dev: the registry refused the image: "
            + "413 Payload Too Large from nginx/"))
      #expect(error.hint?.contains("client_max_body_size") == true)
    }
  }

  @Test func `a registry may say where to send what by a path alone`() async throws {
    let registry = try await TestRegistry(hasRelativeLocations: true)
    let image = TestImage.named("relative")
    #expect(
      try await RegistryPush(host: registry.host, pieceSize: 100_000)(image, as: "relative")
        .layersSent == 2)
    #expect(try RegistryPush.held(registry.host, "lab/relative:dev") == image.id)
    try await registry.daemon.stop()
  }

  @Test func `every tenth request finds no registry, and the image arrives`() async throws {
    let registry = try await TestRegistry.shared()
    let nobody = try TestRegistry.freePort()
    let proxy = try await TestProxy(
      before: "both", location: "proxy_next_upstream off;",
      http: """
        upstream both {
          server \(registry.host) weight=9 max_fails=0;
          server 127.0.0.1:\(nobody) max_fails=0;
        }
        """)
    let image = TestImage(layers: (0..<8).map { TestImage.layer("tenth-\($0)", "\($0)") })
    #expect(try await RegistryPush(host: proxy.host)(image, as: "tenth").layersTotal == 8)
    #expect(try RegistryPush.held(registry.host, "lab/tenth:dev") == image.id)
    let requests = try await proxy.requests()
    #expect(requests.count { $0.contains(" 502 ") } >= 2)
    try await proxy.daemon.stop()
  }

  @Test func `a registry that is gone for good is told after four times`() async throws {
    let nobody = try TestRegistry.freePort()
    let proxy = try await TestProxy(before: "127.0.0.1:\(nobody)")
    let error = try await RegistryPush(host: proxy.host).failure(.named("gone"), as: "gone")
    #expect(error.kind == .unreachable)
    #expect(
      error.message.hasPrefix(
        "registry \(proxy.host) is not to be had: 502 Bad Gateway from nginx/"))
    let requests = try await proxy.requests()
    #expect(requests.count { $0.hasPrefix("HEAD ") } == 4)
    try await proxy.daemon.stop()
  }

  @Test func `one that says nothing is not waited for again`() async throws {
    // Takes connections and answers none.
    let port = try TestRegistry.freePort()
    let silent = try await TestDaemon { _ in
      [
        "python3", "-c",
        """
        import socket, time
        listener = socket.create_server(("127.0.0.1", \(port)), backlog=100)
        time.sleep(1e6)
        """,
      ]
    } isReady: { _ in
      (try? Tool.run("bash", ["-c", "exec 3<>/dev/tcp/localhost/\(port)"])) != nil
    }
    let stuck = "if ($request_method = PUT) { proxy_pass http://127.0.0.1:\(port); }"
    try await proxied(location: stuck) { proxy in
      let push = RegistryPush(host: proxy.host, patience: .seconds(1))
      let error = try await push.failure(.named("silent", base: 1000), as: "silent")
      #expect(error.kind == .unreachable)
      #expect(
        error.message == "registry \(proxy.host) does not answer: no word from it in time")
      #expect(try RegistryPush.held(proxy.host, "lab/silent:dev") == nil)
      // Three blobs, each once; the first that fails calls off the others.
      let requests = try await proxy.requests { $0.contains { $0.hasPrefix("PUT ") } }
      #expect(requests.count { $0.hasPrefix("PUT ") } <= 3, "\(requests)")
    }
    try await silent.stop()
  }

  @Test func `a digest that the header does not tell is made of the manifest`() async throws {
    let image = TestImage.named("no-header", base: 1000)
    try await proxied(location: "proxy_hide_header Docker-Content-Digest;") { proxy in
      let push = RegistryPush(host: proxy.host)
      let first = try await push(image, as: "no-header")
      #expect(first.isChanged)
      #expect(try await !push(image, as: "no-header").isChanged)
    }
  }
}
