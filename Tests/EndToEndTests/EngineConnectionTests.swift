import Basics
import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Runtimes

/// A real dockerd, reached in the ways in which one on another machine is.
@Suite(.enabled(if: RemoteEngine.isExpected, Comment(rawValue: RemoteEngine.requirement)))
struct EngineConnectionTests {
  private let engine: RemoteEngine
  /// Docker's own directory, and that of sockets.
  private let home: TemporaryDirectory

  init() async throws {
    engine = try await RemoteEngine.shared()
    home = try TemporaryDirectory()
  }

  private var surroundings: [String: String] {
    ["DOCKER_CONFIG": "\(home.path)/docker", "XDG_RUNTIME_DIR": home.path.string]
  }

  private func tls(
    _ certificates: RemoteEngine.Certificates, at host: String? = nil
  )
    -> [String: String]
  {
    [
      "DOCKER_HOST": host ?? engine.secured, "DOCKER_TLS_VERIFY": "1",
      "DOCKER_CERT_PATH": engine.path(certificates).string,
    ]
  }

  /// Runs `body` with the engine that the environment means.
  private func with<Value>(
    _ environment: [String: String], ssh: RemoteEngine.Client = .known,
    at other: RemoteEngine? = nil, _ body: (EngineConnection) async throws -> Value
  ) async throws -> Value {
    let connection = try await EngineConnection.open(
      environment: surroundings.merging(environment) { $1 },
      runner: PathRunner((other ?? engine).path(ssh)))
    let result: Result<Value, any Error>
    do { result = .success(try await body(connection)) } catch { result = .failure(error) }
    await connection.close()
    #expect(try Tool.run("ls", [home.path.string]).contains("watchbuild") == false)
    return try result.get()
  }

  private func failure(
    _ environment: [String: String], ssh: RemoteEngine.Client = .known
  ) async throws -> String {
    let error = await #expect(throws: RuntimeError.self) {
      try await with(environment, ssh: ssh) { connection in
        // The one request without a time limit: a busy machine is not to be what fails.
        var stream = ImageStream()
        stream.appendBytes([0])
        try await connection.client.load(stream)
      }
    }
    return try #require(error).description
  }

  /// Loads an image, changes its top layer, and looks at what the engine holds by its own socket.
  private func check(_ environment: [String: String], _ name: String) async throws {
    var image = TestImage(
      layers: (0..<3).map { index in
        TestImage.layer(
          "\(name)-\(index)",
          index == 0 ? TestImage.filling(4 << 20, seed: name) : Array(name.utf8))
      })
    let reference = try #require(ImageReference("lab/\(name):dev"))
    let path = home.appending("image.tar")
    let beside = EngineClient(.unix(engine.daemon.socket))
    let result: Result<Void, any Error>
    do {
      try await with(environment) { connection in
        let docker = DockerEngine(connection.client)
        try path.write(image.dockerArchive())
        let first = try await docker.load(try ImageArchive.open(path), as: reference)
        #expect(first.layersSent == 3)
        #expect(try await beside.image("lab/\(name):dev")?.id == image.id)
        image.layers[2] = TestImage.layer("\(name)-2", "edited")
        try Tool.run("rm", [path.string])
        try path.write(image.dockerArchive())
        let second = try await docker.load(try ImageArchive.open(path), as: reference)
        #expect(second.layersSent == 1)
        #expect(second.bytesSent < 16_384)
        #expect(try await beside.image("lab/\(name):dev")?.id == image.id)
      }
      result = .success(())
    } catch {
      result = .failure(error)
    }
    await beside.shutdown()
    try result.get()
  }

  // MARK: TLS

  @Test func `an engine behind TLS is loaded into like any other`() async throws {
    try await check(tls(.good), "tls")
  }

  @Test(arguments: [
    (
      RemoteEngine.Certificates.wrongAuthority,
      "its certificate is not signed by the authority in CERTS/ca.pem; put the certificate of the engine's authority into CERTS/ca.pem, "
    ),
    (
      .none,
      "it wants to see a certificate, and there is no CERTS/cert.pem; put cert.pem and key.pem for it into CERTS, "
    ),
    (.expired, "CERTS/cert.pem has expired, on "),
    (
      .foreign,
      "it does not accept CERTS/cert.pem; have it signed by the authority that dockerd's --tlscacert names, "
    ),
  ])
  func `certificates that won't do are told`(
    certificates: RemoteEngine.Certificates, reason: String
  ) async throws {
    let expected = reason.replacing("CERTS", with: engine.path(certificates).string)
    let failure = try await failure(tls(certificates))
    #expect(
      failure.hasPrefix("docker does not answer at \(engine.secured): \(expected)"), "\(failure)")
  }

  @Test(arguments: [
    (RemoteEngine.ServerCertificate.expired, "its certificate has expired, on "),
    (.elsewhere, "its certificate does not name 127.0.0.1; give the name that it has, "),
  ])
  func `an engine's certificate that won't do is told`(
    certificate: RemoteEngine.ServerCertificate, reason: String
  ) async throws {
    let (server, host) = try await engine.server(certificate)
    let failure: String
    do {
      failure = try await self.failure(tls(.good, at: host))
    } catch {
      try await server.stop()
      throw error
    }
    try await server.stop()
    #expect(failure.hasPrefix("docker does not answer at \(host): \(reason)"), "\(failure)")
  }

  @Test func `an engine that is asked without TLS says that it wants it`() async throws {
    let error = await #expect(throws: RuntimeError.self) {
      try await with(["DOCKER_HOST": engine.secured]) { try await $0.client.image("a:b") }
    }
    let failure = try #require(error).description
    #expect(failure.contains("Client sent an HTTP request to an HTTPS server"))
    #expect(failure.contains("; it speaks TLS: set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH "))
  }

  @Test func `an engine that is asked for TLS and has none is told`() async throws {
    let plain = "tcp://127.0.0.1:\(try LoopbackPort.free())"
    let daemon = try await DockerDaemon(arguments: ["-H", plain])
    let result: Result<String, any Error>
    do { result = .success(try await failure(tls(.good, at: plain))) } catch {
      result = .failure(error)
    }
    try await daemon.stop()
    let failure = try result.get()
    #expect(
      failure.hasPrefix("docker does not answer at \(plain): it does not speak TLS there; "),
      "\(failure)")
    #expect(failure.contains("unset DOCKER_TLS_VERIFY"))
  }

  // MARK: ssh

  @Test func `an engine behind ssh is loaded into like any other`() async throws {
    try await check(["DOCKER_HOST": engine.behindSSH], "ssh")
  }

  @Test(arguments: [
    (RemoteEngine.Client.stranger, "Host key verification failed."),
    (.keyless, "Permission denied (publickey)."),
  ])
  func `what ssh says is the error`(client: RemoteEngine.Client, words: String) async throws {
    let failure = try await failure(["DOCKER_HOST": engine.behindSSH], ssh: client)
    #expect(failure.hasPrefix("docker does not answer at \(engine.behindSSH): "), "\(failure)")
    #expect(failure.contains(words), "\(failure)")
    #expect(failure.contains("; does ssh to that host run 'docker version' without a question?"))
  }

  @Test func `a host that is not there is told in ssh's words`() async throws {
    let nobody = "ssh://root@127.0.0.1:\(try LoopbackPort.free())"
    let failure = try await failure(["DOCKER_HOST": nobody])
    #expect(failure.contains("Connection refused"), "\(failure)")
  }

  @Test func `a load through ssh that is cancelled leaves the name where it was`() async throws {
    let reference = try #require(ImageReference("lab/ssh-cancelled:dev"))
    var image = TestImage(layers: [TestImage.layer("ssh-cancelled", "good")])
    let good = image.id
    let path = home.appending("image.tar")
    try await with(["DOCKER_HOST": engine.behindSSH]) { connection in
      let docker = DockerEngine(connection.client)
      try path.write(image.dockerArchive())
      _ = try await docker.load(try ImageArchive.open(path), as: reference)
      image.layers[0] = TestImage.layer(
        "ssh-cancelled", TestImage.filling(24 << 20, seed: "cancelled"))
      try Tool.run("rm", [path.string])
      try path.write(image.dockerArchive())
      let archive = try ImageArchive.open(path)
      let task = Task { try await docker.load(archive, as: reference) }
      // Some way into the upload; wherever it is caught, the outcome must be the same.
      try await ContinuousClock().pause(for: .milliseconds(100))
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      #expect(try await connection.client.image("lab/ssh-cancelled:dev")?.id == good)
      let again = try await docker.load(archive, as: reference)
      #expect(again.id == image.id)
    }
  }

  @Test func `an engine behind ssh that stops is told, and one that comes back is used`()
    async throws
  {
    let own = try await RemoteEngine()
    let result: Result<Void, any Error>
    do {
      result = .success(try await checkReturn(of: own))
    } catch {
      result = .failure(error)
    }
    try await own.stop()
    try result.get()
  }

  private func checkReturn(of own: RemoteEngine) async throws {
    let image = TestImage(layers: [TestImage.layer("returning", "image")])
    let reference = try #require(ImageReference("lab/returning:dev"))
    let path = home.appending("image.tar")
    try path.write(image.dockerArchive())
    let archive = try ImageArchive.open(path)
    try await with(["DOCKER_HOST": own.behindSSH], at: own) { connection in
      let docker = DockerEngine(connection.client)
      _ = try await docker.load(archive, as: reference)
      try await own.daemon.pause()
      let error = await #expect(throws: RuntimeError.self) {
        try await docker.load(archive, as: reference)
      }
      #expect(error?.kind == .unreachable)
      #expect(error?.message.hasPrefix("docker does not answer at \(own.behindSSH): ") == true)
      #expect(await !docker.isAvailable())
      try await own.daemon.resume()
      #expect(await docker.isAvailable())
      #expect(try await !docker.load(archive, as: reference).isChanged)
    }
  }

  @Test func `Ctrl-C while ssh does not get through leaves neither process nor socket`()
    async throws
  {
    let workspace = try home.makeDirectory("workspace")
    try home.write(to: "workspace/WORKSPACE")
    let sockets = try home.makeDirectory("sockets")
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let doctor = try WatchbuildProcess(
      ["doctor"], in: workspace,
      environment: [
        "PATH": "\(engine.path(.hanging)):\(path)", "XDG_RUNTIME_DIR": sockets.string,
        "XDG_STATE_HOME": "\(home.path)/state", "DOCKER_HOST": engine.behindSSH,
      ])
    while engine.hangingClient == nil {
      guard doctor.isRunning else { break }
      try await ContinuousClock().pause(for: .milliseconds(20))
    }
    let client = try #require(engine.hangingClient, "\(doctor.errors)")
    #expect(try Tool.run("ls", [sockets.string]).hasPrefix("watchbuild-ssh-"))
    #expect(try await doctor.interrupt() == 130)
    #expect(try Tool.run("ls", [sockets.string]) == "")
    // The kernel tells it that docker has gone.
    for _ in 0..<1000 where kill(client, 0) == 0 {
      try await ContinuousClock().pause(for: .milliseconds(20))
    }
    #expect(kill(client, 0) == -1)
  }

  // MARK: Contexts

  private func docker(_ arguments: [String]) throws {
    try Tool.run("env", ["DOCKER_CONFIG=\(home.path)/docker", "docker"] + arguments)
  }

  /// Contexts made by docker's own client.
  private func makeContexts() throws {
    let good = engine.path(.good)
    try docker([
      "context", "create", "over-tls", "--docker",
      "host=\(engine.secured),ca=\(good)/ca.pem,cert=\(good)/cert.pem,key=\(good)/key.pem",
    ])
    try docker(["context", "create", "over-ssh", "--docker", "host=\(engine.behindSSH)"])
    try docker(["context", "create", "socket", "--docker", "host=\(engine.daemon.host)"])
    try docker([
      "context", "create", "wrong", "--docker",
      "host=\(engine.secured),ca=\(engine.path(.wrongAuthority))/ca.pem",
    ])
  }

  @Test(arguments: ["over-tls", "over-ssh", "socket"])
  func `a docker context leads to its engine`(name: String) async throws {
    try makeContexts()
    try await check(["DOCKER_CONTEXT": name], "context-\(name)")
    try docker(["context", "use", name])
    try await with([:]) { connection in
      #expect(connection.choice.context == name)
      try await connection.client.ping()
    }
  }

  @Test func `a context whose certificates won't do is named`() async throws {
    try makeContexts()
    let failure = try await failure(["DOCKER_CONTEXT": "wrong"])
    #expect(
      failure.hasPrefix("docker does not answer at \(engine.secured) (docker context 'wrong'): "),
      "\(failure)")
    #expect(
      failure.contains("its certificate is not signed by the authority in \(home.path)/docker/"))
  }

  @Test func `doctor tells which engine it is, and by which context`() async throws {
    try makeContexts()
    try docker(["context", "use", "over-tls"])
    let workspace = try home.makeDirectory("workspace")
    try home.write(to: "workspace/WORKSPACE")
    let doctor = try WatchbuildProcess(
      ["doctor"], in: workspace,
      environment: surroundings.merging([
        "XDG_STATE_HOME": "\(home.path)/state", "DOCKER_HOST": "",
      ]) { $1 })
    _ = try await doctor.exit()
    let line = doctor.output.split(separator: "\n").first { $0.contains(" docker: ") }
    #expect(line?.hasPrefix("ok docker: ") == true, "\(doctor.output)")
    #expect(
      line?.hasSuffix(
        " at \(engine.secured) with TLS, by the docker context 'over-tls' "
          + "(\(home.path)/docker/config.json)") == true, "\(doctor.output)")
  }
}
