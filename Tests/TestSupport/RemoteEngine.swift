import Glibc
package import Processes
package import SystemPackage

/// A dockerd that is reached as one on another machine is: over TLS with certificates of its own, and
/// through an sshd of its own.
package struct RemoteEngine: Sendable {
  package let daemon: DockerDaemon
  /// In its directory are certificates, keys, and an `ssh` that knows where they are.
  private let sshd: TestDaemon
  /// `tcp://127.0.0.1:PORT`
  package let secured: String
  /// `ssh://root@127.0.0.1:PORT`
  package let behindSSH: String

  /// Whether tests that need it are to run.
  package static var isExpected: Bool {
    Tool.isRequired
      || (DockerDaemon.isExpected && Tool.exists("sshd") && Tool.exists("docker")
        && Tool.exists("openssl"))
  }

  /// For the `.enabled` trait.
  package static let requirement =
    "needs dockerd, sshd and openssl (apt-get install docker.io openssh-server openssl), run as root"

  /// The one that the tests of this process share.
  package static func shared() async throws -> RemoteEngine { try await starting.value }

  // As with `DockerDaemon.shared()`.
  private static let starting = Task { try await RemoteEngine() }

  package init() async throws {
    let port = try LoopbackPort.free()
    behindSSH = "ssh://root@127.0.0.1:\(port)"
    sshd = try await TestDaemon { directory in
      try Tool.run("bash", ["-euc", Self.certificates, "bash", directory.string])
      try Tool.run("bash", ["-euc", Self.clients, "bash", directory.string, "\(port)"])
      let configuration = directory.appending("sshd_config")
      try configuration.write(
        Array(
          """
          Port \(port)
          ListenAddress 127.0.0.1
          HostKey \(directory)/host
          PidFile \(directory)/pid
          AuthorizedKeysFile \(directory)/user.pub
          StrictModes no
          UsePAM no
          PermitRootLogin prohibit-password
          PasswordAuthentication no
          KbdInteractiveAuthentication no
          SetEnv DOCKER_HOST=unix://\(directory)/docker.sock

          """.utf8))
      // It runs itself anew for each connection, by its whole path.
      let program = try Tool.run("sh", ["-c", "command -v sshd"]).dropLast()
      return [String(program), "-D", "-e", "-f", configuration.string]
    } isReady: { _ in
      Self.isListening(at: port)
    }
    let files = sshd.directory
    let securedPort = try LoopbackPort.free()
    secured = "tcp://127.0.0.1:\(securedPort)"
    daemon = try await DockerDaemon(arguments: [
      "-H", secured, "--tlsverify", "--tlscacert", "\(files)/good/ca.pem", "--tlscert",
      "\(files)/server.pem", "--tlskey", "\(files)/server-key.pem",
    ])
    try Tool.run("ln", ["-s", daemon.socket.string, "\(files)/docker.sock"])
  }

  /// Ends both and removes their directories.
  package func stop() async throws {
    try await daemon.stop()
    try await sshd.stop()
  }

  private static func isListening(at port: Int) -> Bool {
    // A poll.
    (try? Tool.run("bash", ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(port)"])) != nil
  }

  /// As `DOCKER_CERT_PATH` takes it.
  package enum Certificates: String, Sendable, CaseIterable {
    case good
    /// The engine's certificate is not signed by this authority.
    case wrongAuthority = "wrong-authority"
    /// No client's certificate.
    case none
    case expired
    /// A client's certificate by an authority that the engine does not know.
    case foreign
  }

  package func path(_ certificates: Certificates) -> FilePath {
    sshd.directory.appending(certificates.rawValue)
  }

  /// Beside the good one, certificates for a server that are signed by the same authority.
  package enum ServerCertificate: String, Sendable {
    case expired = "old-server"
    case elsewhere = "other-server"
  }

  /// Serves TLS with such a certificate, and nothing in it.
  ///
  /// - Returns: To be stopped by the caller, and its address.
  package func server(_ certificate: ServerCertificate) async throws -> (TestDaemon, String) {
    let port = try LoopbackPort.free()
    let name = sshd.directory.appending(certificate.rawValue)
    let daemon = try await TestDaemon { _ in
      [
        "openssl", "s_server", "-quiet", "-accept", "127.0.0.1:\(port)", "-cert", "\(name).pem",
        "-key", "\(name)-key.pem",
      ]
    } isReady: { _ in
      Self.isListening(at: port)
    }
    return (daemon, "tcp://127.0.0.1:\(port)")
  }

  /// Whose `ssh` is first in `PATH`.
  package enum Client: String, Sendable {
    case known
    /// Does not know the host's key.
    case stranger
    /// Has no key that the host lets in.
    case keyless
    /// Never gets through, and leaves its process ID in `hanging.pid` where it runs.
    case hanging
  }

  package func path(_ client: Client) -> FilePath {
    sshd.directory.appending("bin-\(client.rawValue)")
  }

  /// The process ID of the hanging client, once it has started.
  package var hangingClient: Int32? {
    // A poll: not yet there.
    guard let bytes = try? sshd.directory.appending("hanging.pid").read() else { return nil }
    return Int32(String(decoding: bytes.dropLast(), as: UTF8.self))
  }

  private static let clients = #"""
    cd "$1"
    real=$(command -v ssh)
    for name in host user other; do ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$name"; done
    echo "[127.0.0.1]:$2 $(cat host.pub)" >known_hosts
    # Where sshd leaves its privileges behind.
    mkdir -p /run/sshd
    # client NAME KEY KNOWN_HOSTS
    client() {
      mkdir "bin-$1"
      cat >"bin-$1/config" <<END
    Host *
      IdentityFile $PWD/$2
      IdentitiesOnly yes
      IdentityAgent none
      UserKnownHostsFile $3
      GlobalKnownHostsFile /dev/null
      StrictHostKeyChecking yes
    END
      printf '#!/bin/sh\nexec %s -F %s "$@"\n' "$real" "$PWD/bin-$1/config" >"bin-$1/ssh"
      chmod +x "bin-$1/ssh"
    }
    client known user "$PWD/known_hosts"
    client stranger user /dev/null
    client keyless other "$PWD/known_hosts"
    mkdir bin-hanging
    printf '#!/bin/sh\necho $$ >%s\nexec sleep 1000\n' "$PWD/hanging.pid" >bin-hanging/ssh
    chmod +x bin-hanging/ssh
    """#

  private static let certificates = #"""
    cd "$1"
    key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    authority() { openssl req -x509 $key -days 2 -subj "/CN=$1" -keyout "$1-key.pem" -out "$1.pem"; }
    # certificate NAME AUTHORITY DAYS EXTENSION
    certificate() {
      openssl req $key -subj "/CN=$1" -keyout "$1-key.pem" -out "$1.csr"
      openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2-key.pem" -CAcreateserial -days "$3" \
        -extfile <(echo "$4") -out "$1.pem"
    }
    authority lab
    authority other
    certificate server lab 2 subjectAltName=IP:127.0.0.1
    certificate old-server lab -1 subjectAltName=IP:127.0.0.1
    certificate other-server lab 2 subjectAltName=DNS:elsewhere.example
    certificate client lab 2 extendedKeyUsage=clientAuth
    certificate old-client lab -1 extendedKeyUsage=clientAuth
    certificate foreign-client other 2 extendedKeyUsage=clientAuth
    # client NAME AUTHORITY [CERTIFICATE]
    client() {
      mkdir -p "$1"; cp "$2.pem" "$1/ca.pem"
      if [ $# -gt 2 ]; then cp "$3.pem" "$1/cert.pem"; cp "$3-key.pem" "$1/key.pem"; fi
    }
    client good lab client
    client wrong-authority other client
    client none lab
    client expired lab old-client
    client foreign lab foreign-client
    """#
}

/// Runs programs with a directory of a test's own first in `PATH`.
package struct PathRunner: CommandRunner {
  private let first: FilePath

  package init(_ first: FilePath) { self.first = first }

  package func run(
    _ command: Command, input: CommandInput?, ending: ForcedEnd,
    output: @escaping @Sendable (CommandOutput) -> Void
  ) async throws -> CommandExit {
    var command = command
    command.environment["PATH"] = ([first.string] + Tool.path).joined(separator: ":")
    return try await SubprocessRunner().run(command, input: input, ending: ending, output: output)
  }
}
