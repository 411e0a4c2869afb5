import Glibc
import SystemPackage

/// A docker-registry of a test's own.
package struct TestRegistry: Sendable {
  package let daemon: TestDaemon
  /// `localhost:PORT`
  package let host: String

  package static let user = "lab"
  package static let password = "secret:with colon"

  /// - Parameters:
  ///   - hasTLS: With a certificate for localhost of its own, `ca.crt` in `certs.d/HOST`.
  ///   - hasLogin: Lets only `user` in.
  package init(hasTLS: Bool = false, hasLogin: Bool = false) async throws {
    let port = try Self.freePort()
    let host = "localhost:\(port)"
    daemon = try await TestDaemon { directory in
      var text = """
        version: 0.1
        log: {level: warn}
        storage:
          filesystem: {rootdirectory: \(directory)/root}
          delete: {enabled: true}
        http:
          addr: "\(host)"

        """
      if hasTLS {
        let certificates = directory.appending("certs.d").appending(host)
        try Tool.run("mkdir", ["-p", certificates.string])
        try Tool.run(
          "openssl",
          [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            "-keyout", "\(directory)/key.pem", "-out", "\(certificates)/ca.crt",
          ])
        text += """
            tls: {certificate: "\(certificates)/ca.crt", key: "\(directory)/key.pem"}

          """
      }
      if hasLogin {
        let line = try Tool.run("htpasswd", ["-nbB", Self.user, Self.password])
        try directory.appending("htpasswd").write(Array(line.utf8))
        text += """
          auth:
            htpasswd: {realm: lab, path: "\(directory)/htpasswd"}

          """
      }
      let path = directory.appending("registry.yml")
      try path.write(Array(text.utf8))
      return ["docker-registry", "serve", path.string]
    } isReady: { _ in
      (try? Tool.run("bash", ["-c", "exec 3<>/dev/tcp/localhost/\(port)"])) != nil
    }
    self.host = host
  }

  /// One that nobody listens at now: the kernel gives out another each time.
  private static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
      }
    }
    guard status == 0 else { throw Errno(rawValue: errno) }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  /// The one without TLS and login that the tests of this process share.
  package static func shared() async throws -> TestRegistry { try await starting.value }

  private static let starting = Task { try await TestRegistry() }
}
