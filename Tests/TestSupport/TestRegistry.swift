import Glibc
import Synchronization
import SystemPackage

/// A docker-registry of a test's own.
package struct TestRegistry: Sendable {
  package let daemon: TestDaemon
  /// `localhost:PORT`
  package let host: String

  package static let user = "lab"
  package static let password = "secret:with colon"

  package enum Guard: Sendable {
    case nobody
    /// Lets only `user` in.
    case password
    /// Lets in whom the tokens of a server allow it.
    case tokens(TokenServer)
  }

  package enum TLS: Sendable {
    case none
    /// With a certificate for localhost, made by an authority of its own: `certs.d/HOST/ca.crt`.
    case own
    /// That, and it wants one of the client's: `client.cert` and `client.key`, beside the other.
    case mutual
  }

  /// - Parameter address: Where it listens.
  package init(
    tls: TLS = .none, guardedBy login: Guard = .nobody, address: String = "localhost",
    hasRelativeLocations: Bool = false
  ) async throws {
    let port = try Self.freePort()
    let host = "\(address):\(port)"
    daemon = try await TestDaemon { directory in
      var text = """
        version: 0.1
        log: {level: warn}
        storage:
          filesystem: {rootdirectory: \(directory)/root}
          delete: {enabled: true}
        http:
          addr: "\(host)"
          relativeurls: \(hasRelativeLocations)

        """
      if tls != .none {
        let certificates = directory.appending("certs.d").appending(host)
        try Tool.run("mkdir", ["-p", certificates.string])
        try Self.makeCertificates(in: directory, for: certificates, tls)
        text += """
            tls:
              certificate: "\(directory)/server.pem"
              key: "\(directory)/server.key"

          """
        if tls == .mutual { text += "    clientcas: [\"\(certificates)/ca.crt\"]\n" }
      }
      switch login {
      case .nobody: break
      case .password:
        let line = try Tool.run("htpasswd", ["-nbB", Self.user, Self.password])
        try directory.appending("htpasswd").write(Array(line.utf8))
        text += """
          auth:
            htpasswd: {realm: lab, path: "\(directory)/htpasswd"}

          """
      case .tokens(let server):
        text += """
          auth:
            token:
              realm: "\(server.realm)"
              service: registry
              issuer: tokens
              rootcertbundle: "\(server.certificate)"

          """
      }
      let path = directory.appending("registry.yml")
      try path.write(Array(text.utf8))
      return ["docker-registry", "serve", path.string]
    } isReady: { _ in
      Self.listens(at: port, of: address)
    }
    self.host = host
  }

  private static let makeKey = [
    "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
  ]

  private static func makeCertificates(
    in directory: FilePath, for certificates: FilePath, _ tls: TLS
  ) throws {
    let authority = ["-CA", "\(certificates)/ca.crt", "-CAkey", "\(directory)/ca.key"]
    try Tool.run(
      "openssl",
      ["req", "-x509", "-days", "2", "-subj", "/CN=authority"] + makeKey
        + ["-keyout", "\(directory)/ca.key", "-out", "\(certificates)/ca.crt"])
    try Tool.run(
      "openssl",
      ["req", "-x509", "-days", "2", "-subj", "/CN=localhost"] + makeKey + authority
        + [
          "-addext", "subjectAltName=DNS:localhost", "-addext",
          "basicConstraints=critical,CA:false",
          "-keyout", "\(directory)/server.key", "-out", "\(directory)/server.pem",
        ])
    guard tls == .mutual else { return }
    try Tool.run(
      "openssl",
      ["req", "-x509", "-days", "2", "-subj", "/CN=client"] + makeKey + authority
        + [
          "-addext", "extendedKeyUsage=clientAuth", "-addext", "basicConstraints=critical,CA:false",
          "-keyout", "\(certificates)/client.key", "-out", "\(certificates)/client.cert",
        ])
  }

  /// Whether someone answers there.
  static func listens(at port: Int, of address: String = "localhost") -> Bool {
    let host = address.filter { $0 != "[" && $0 != "]" }
    return (try? Tool.run("bash", ["-c", "exec 3<>/dev/tcp/\(host)/\(port)"])) != nil
  }

  private static let nextPort = Atomic<Int>(0)

  /// One that nobody listens at now, and that is given to nobody else.
  ///
  /// Below those that the kernel gives to whoever connects; another process's tests begin elsewhere.
  package static func freePort() throws -> Int {
    for _ in 0..<4000 {
      let number = Self.nextPort.add(1, ordering: .relaxed).oldValue
      let port = 12_000 + (Int(getpid()) * 61 + number) % 20_000
      if try isFree(port) { return port }
    }
    throw Errno.addressInUse
  }

  private static func isFree(_ port: Int) throws -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  /// The one without TLS and login that the tests of this process share.
  package static func shared() async throws -> TestRegistry { try await starting.value }

  private static let starting = Task { try await TestRegistry() }

  /// The one that wants the tokens of `TokenServer.shared()`.
  package static func sharedWithTokens() async throws -> TestRegistry {
    try await startingWithTokens.value
  }

  private static let startingWithTokens = Task {
    try await TestRegistry(guardedBy: .tokens(try await TokenServer.shared()))
  }
}
