import Runtimes
import SystemPackage
import TestSupport
import Testing

/// Certificates, and plain http.
@Suite(
  .enabled(
    if: Tool.isRequired || Tool.exists("docker-registry"),
    "needs docker-registry (apt-get install docker-registry)"))
struct RegistryTLSTests {
  private func push(_ registry: TestRegistry) -> RegistryPush {
    RegistryPush(
      host: registry.host, certificates: [registry.daemon.directory.appending("certs.d")])
  }

  @Test func `TLS and a login`() async throws {
    let registry = try await TestRegistry(tls: .own, guardedBy: .password)
    try await DockerConfig.using { config in
      var push = push(registry)
      push.environment = config.environment
      // Nobody knows us yet.
      let error = try await push.failure(.named("login"), as: "login")
      #expect(error.hint == "log in: docker login \(registry.host)")
      try config.write(
        user: TestRegistry.user, password: TestRegistry.password, for: registry.host)
      #expect(try await push(.named("login"), as: "login").layersSent == 2)
      #expect(try await !push(.named("login"), as: "login").isChanged)
    }
    try await registry.daemon.stop()
  }

  @Test func `an authority that nobody knows is told with where to put it`() async throws {
    let registry = try await TestRegistry(tls: .own)
    let push = RegistryPush(host: registry.host)
    #expect(try await push.using { await !$0.isAvailable() })
    let error = try await push.failure(.named("stranger"), as: "stranger")
    #expect(
      error.message == "registry \(registry.host) does not answer: "
        + "nobody we trust vouches for its certificate (CERTIFICATE_VERIFY_FAILED)")
    #expect(
      error.hint == "put its CA's certificate into /etc/docker/certs.d/\(registry.host)/ca.crt")
    try await registry.daemon.stop()
  }

  @Test func `a registry that wants a certificate of ours gets it`() async throws {
    let registry = try await TestRegistry(tls: .mutual)
    let certificates = registry.daemon.directory.appending("certs.d").appending(registry.host)
    #expect(try await push(registry)(.named("mutual"), as: "mutual").layersSent == 2)

    let key = certificates.appending("client.key")
    try Tool.run("mv", [key.string, "\(key).away"])
    #expect(try await push(registry).using { await !$0.isAvailable() })
    let missing = try await push(registry).failure(.named("mutual"), as: "mutual-2")
    #expect(
      missing.message == "\(key), which belongs to \(certificates)/client.cert, can't be read as a "
        + "key")

    try Tool.run("rm", ["\(certificates)/client.cert"])
    let unknown = try await push(registry).failure(.named("mutual"), as: "mutual-2")
    #expect(
      unknown.description == "registry \(registry.host) does not answer: it does not accept our "
        + "certificate; put one that it does into /etc/docker/certs.d/\(registry.host)/client.cert, "
        + "and its key beside it into client.key")
    try await registry.daemon.stop()
  }

  @Test func `a certificate for another name is told as such`() async throws {
    let registry = try await TestRegistry(tls: .own)
    let port = try #require(registry.host.split(separator: ":").last)
    let known = registry.daemon.directory.appending("certs.d")
    try Tool.run("cp", ["-r", "\(known)/\(registry.host)", "\(known)/127.0.0.1:\(port)"])
    let push = RegistryPush(host: "127.0.0.1:\(port)", certificates: [known])
    let error = try await push.failure(.named("name"), as: "name")
    #expect(error.message.hasSuffix("does not answer: its certificate is for another name"))
    try await registry.daemon.stop()
  }

  @Test(arguments: ["127.0.0.1", "[::1]"])
  func `this machine's addresses are spoken to in plain http`(address: String) async throws {
    let registry = try await TestRegistry(address: address)
    #expect(try await push(registry)(.named("plain"), as: "plain").layersSent == 2)
    try await registry.daemon.stop()
  }

  @Test func `plain http elsewhere is told what to do instead`() async throws {
    let shared = try await TestRegistry.shared()
    let port = try #require(shared.host.split(separator: ":").last)
    // It leads to this machine, but need not: only its own names count.
    let host = "0.0.0.0:\(port)"
    let error = try await RegistryPush(host: host).failure(.named("http"), as: "http")
    #expect(error.message == "registry \(host) does not answer: it speaks plain http")
    #expect(
      error.hint == "that is for this machine only: give it a certificate, or go through localhost "
        + "(ssh -L 5000:\(host) …, --load registry:localhost:5000)")
  }

  @Test(
    .enabled(if: Tool.isRequired || Tool.exists("nginx"), "needs nginx (apt-get install nginx)"))
  func `a proxy that ends TLS and does not tell the registry is found out`() async throws {
    let owner = try await TestRegistry(tls: .own)
    let own = owner.daemon.directory
    let registry = try await TestRegistry.shared()
    for tells in [true, false] {
      let port = try TestRegistry.freePort()
      let proxy = try await TestProxy(
        before: registry.host,
        location: tells ? "proxy_set_header X-Forwarded-Proto https;" : "",
        server: """
          listen 127.0.0.1:\(port) ssl;
          ssl_certificate \(own)/server.pem;
          ssl_certificate_key \(own)/server.key;
          """)
      let host = "localhost:\(port)"
      try Tool.run("cp", ["-r", "\(own)/certs.d/\(owner.host)", "\(own)/certs.d/\(host)"])
      let push = RegistryPush(host: host, certificates: [own.appending("certs.d")])
      if tells {
        #expect(try await push(.named("ends-tls"), as: "ends-tls").layersSent == 2)
      } else {
        let error = try await push.failure(.named("silent-tls"), as: "silent-tls")
        #expect(error.message == "registry \(host) sends us from https on to http://\(host)")
        #expect(error.hint?.contains("X-Forwarded-Proto") == true)
      }
      try await proxy.daemon.stop()
    }
    try await owner.daemon.stop()
  }

  @Test func `nobody there is told at once`() async throws {
    let host = "localhost:\(try TestRegistry.freePort())"
    let error = try await RegistryPush(host: host).failure(.named("nobody"), as: "nobody")
    #expect(
      error.description
        == "registry \(host) does not answer: connection refused; is it running?")
  }

  @Test func `a name that nobody knows is told as such`() async throws {
    // Reserved: it never is one.
    let push = RegistryPush(host: "registry.invalid")
    let error = try await push.failure(.named("unknown"), as: "unknown")
    #expect(error.message == "registry registry.invalid does not answer: nobody knows its name")
  }
}
