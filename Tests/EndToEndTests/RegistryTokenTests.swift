import Runtimes
import TestSupport
import Testing

/// Logins, and tokens bought with them.
@Suite(
  .enabled(
    if: Tool.isRequired || Tool.exists("docker-registry"),
    "needs docker-registry (apt-get install docker-registry)"))
struct RegistryTokenTests {
  /// Pushes with a configuration of docker's.
  private func failure(
    _ host: String, _ config: DockerConfig, as name: String = "refused"
  ) async throws -> RuntimeError {
    let push = RegistryPush(host: host, environment: config.environment)
    return try await push.failure(.named(name, base: 1000), as: name)
  }

  @Test func `a token that ends in mid-push is renewed`() async throws {
    let tokens = try await TokenServer(lifetime: 4)
    let registry = try await TestRegistry(guardedBy: .tokens(tokens))
    // Sixty pieces and more, ten in a second.
    let slow = try await TestProxy(
      before: registry.host, location: "limit_req zone=slow burst=1000;",
      http: "limit_req_zone $binary_remote_addr zone=slow:1m rate=10r/s;")
    try await DockerConfig.using { config in
      try config.write(
        user: TestRegistry.user, password: TestRegistry.password, for: slow.host)
      let push = RegistryPush(
        host: slow.host, environment: config.environment, pieceSize: 12_500)
      let image = TestImage.named("renewed", base: 750_000)
      #expect(try await push(image, as: "renewed").layersSent == 2)
      #expect(
        try RegistryPush.held(
          registry.host, "lab/renewed:dev",
          login: "\(TestRegistry.user):\(TestRegistry.password)") == image.id)
    }
    let pushes = try tokens.granted().filter { $0 == "lab repository:lab/renewed:pull,push" }
    #expect(pushes.count > 1)
    for daemon in [slow.daemon, registry.daemon, tokens.daemon] { try await daemon.stop() }
  }

  @Test func `an identity token is exchanged, and the other name for a token understood`()
    async throws
  {
    let tokens = try await TokenServer(field: "access_token")
    let registry = try await TestRegistry(guardedBy: .tokens(tokens))
    try await DockerConfig.using { config in
      let push = RegistryPush(host: registry.host, environment: config.environment)
      // As docker writes it: the name, an empty password, the token beside them.
      try config.write(
        #"{"auths":{"\#(registry.host)":{"auth":"bGFiOg==","identitytoken":"refresh-lab"}}}"#)
      #expect(try await push(.named("identity"), as: "identity").layersSent == 2)
      try config.write(
        #"{"auths":{"\#(registry.host)":{"auth":"bGFiOg==","identitytoken":"stale-token"}}}"#)
      let error = try await failure(registry.host, config)
      #expect(
        error.message == "registry \(registry.host) does not accept the identity token from "
          + "\(config.path): UNAUTHORIZED: incorrect username or password")
      #expect(!"\(error)".contains("stale-token"))
    }
    for daemon in [registry.daemon, tokens.daemon] { try await daemon.stop() }
  }

  @Test func `who is not logged in may only read, and is told so`() async throws {
    let host = try await TestRegistry.sharedWithTokens().host
    try await DockerConfig.using { config in
      let error = try await failure(host, config)
      #expect(
        error.message.hasPrefix(
          "registry \(host) lets nobody push to lab/refused without a login: "))
      #expect(error.hint == "log in: docker login \(host)")
    }
  }

  @Test func `a login that may only read is told as such`() async throws {
    let host = try await TestRegistry.sharedWithTokens().host
    try await DockerConfig.using { config in
      try config.write(user: "reader", password: "secret", for: host)
      let error = try await failure(host, config)
      #expect(
        error.message.hasPrefix(
          "registry \(host): the login 'reader' from \(config.path) may not push to lab/refused: "))
    }
  }

  @Test(arguments: [false, true])
  func `a wrong password is told with where it is from, and not itself`(
    wantsTokens: Bool
  ) async throws {
    let registry =
      try await wantsTokens
      ? TestRegistry.sharedWithTokens() : TestRegistry(guardedBy: .password)
    try await DockerConfig.using { config in
      try config.write(user: "lab", password: "not-the-password", for: registry.host)
      let error = try await failure(registry.host, config)
      #expect(
        error.message.hasPrefix(
          "registry \(registry.host) does not accept the login 'lab' from \(config.path): "))
      #expect(error.hint == "log in again: docker login \(registry.host)")
      #expect(!"\(error)".contains("not-the-password"))
    }
    if !wantsTokens { try await registry.daemon.stop() }
  }

  @Test func `an identity token is no password`() async throws {
    let registry = try await TestRegistry(guardedBy: .password)
    try await DockerConfig.using { config in
      try config.write(
        #"{"auths":{"\#(registry.host)":{"identitytoken":"a-secret-token"}}}"#)
      let error = try await failure(registry.host, config)
      #expect(
        error.message == "registry \(registry.host) wants a name and a password, and there is "
          + "only the identity token from \(config.path)")
    }
    try await registry.daemon.stop()
  }

  @Test func `a registry that wants a login is there nonetheless`() async throws {
    let host = try await TestRegistry.sharedWithTokens().host
    try await RegistryPush(host: host).using { #expect(await $0.isAvailable()) }
  }
}
