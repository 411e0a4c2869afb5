import Runtimes
import SystemPackage
import TestSupport
import Testing

@Suite struct EngineClientTests {
  private func asking<Value>(
    _ endpoint: EngineEndpoint, _ body: (EngineClient) async throws -> Value
  ) async throws -> Value {
    let client = EngineClient(endpoint)
    do {
      let value = try await body(client)
      await client.shutdown()
      return value
    } catch {
      await client.shutdown()
      throw error
    }
  }

  @Test func `a socket that is not there is told with its remedy`() async throws {
    let error = await #expect(throws: RuntimeError.self) {
      try await asking(.unix("/nowhere/docker.sock")) { try await $0.ping() }
    }
    #expect(
      error?.description
        == "docker does not answer at unix:///nowhere/docker.sock: no such file or directory; "
        + "is dockerd running? (systemctl start docker), or choose --load oci:DIR")
    #expect(error?.kind == .unreachable)
  }

  @Test func `a socket that nobody listens at is told with its remedy`() async throws {
    try await withScratchDirectory { directory in
      let socket = directory.appending("docker.sock")
      try Tool.run(
        "perl",
        [
          "-MIO::Socket::UNIX", "-e", "IO::Socket::UNIX->new(Local=>shift,Listen=>1)",
          socket.string,
        ])
      let error = await #expect(throws: RuntimeError.self) {
        try await asking(.unix(socket)) { try await $0.ping() }
      }
      #expect(
        error?.description.hasPrefix(
          "docker does not answer at unix://\(socket): connection refused; is dockerd running?")
          == true, "\(String(describing: error))")
    }
  }

  @Test func `a port that nobody listens at is told at once`() async throws {
    let error = await #expect(throws: RuntimeError.self) {
      try await asking(.tcp(host: "127.0.0.1", port: 1)) { try await $0.ping() }
    }
    #expect(
      error?.message.contains("docker does not answer at tcp://127.0.0.1:1: ") == true,
      "\(String(describing: error))")
    #expect(error?.message.lowercased().contains("connection refused") == true)
  }

  @Test func `every request names a host`() async throws {
    try await FakeEngine.serving({ _ in .init(body: "OK") }) { engine in
      try await asking(.unix(engine.socket)) { try await $0.ping() }
      #expect(engine.requests.first?.headers.contains { $0.lowercased() == "host: docker" } == true)
    }
  }

  @Test(arguments: [
    (#"[["driver-type","io.containerd.snapshotter.v1"]]"#, true),
    (#"[["Backing Filesystem","extfs"],["Supports d_type","true"]]"#, false),
    ("null", false),
  ])
  func `the two image stores are told apart`(status: String, usesContainerd: Bool) async throws {
    let body = #"{"ServerVersion":"28.2.2","DriverStatus":\#(status)}"#
    try await FakeEngine.serving({ _ in .init(body: body) }) { engine in
      let info = try await asking(.unix(engine.socket)) { try await $0.info() }
      #expect(info.usesContainerdStore == usesContainerd)
      #expect(info.version == "28.2.2")
    }
  }

  @Test func `an image that is not there is no error`() async throws {
    try await FakeEngine.serving({ _ in .init(status: 404, body: #"{"message":"No such image"}"#) })
    { engine in
      let image = try await asking(.unix(engine.socket)) { try await $0.image("a:b") }
      #expect(image == nil)
      #expect(engine.requests.first?.path == "/images/a:b/json")
    }
  }

  @Test(arguments: [
    (500, #"{"message":"disk is gone"}"#, "docker answered 500 to GET /info: disk is gone"),
    (200, "<html>", "unexpected answer from unix://SOCKET: not valid JSON"),
    (200, "[]", "unexpected answer from unix://SOCKET: "),
  ])
  func `an answer that makes no sense is told`(
    status: Int, body: String, message: String
  )
    async throws
  {
    try await FakeEngine.serving({ _ in .init(status: status, body: body) }) { engine in
      let error = await #expect(throws: RuntimeError.self) {
        try await asking(.unix(engine.socket)) { try await $0.info() }
      }
      let expected = message.replacing("SOCKET", with: engine.socket.string)
      #expect(error?.message.hasPrefix(expected) == true, "\(String(describing: error))")
    }
  }

  @Test func `a connection that is dropped is told`() async throws {
    try await FakeEngine.serving({ _ in .init(body: "", isDropped: true) }) { engine in
      let error = await #expect(throws: RuntimeError.self) {
        try await asking(.unix(engine.socket)) { try await $0.ping() }
      }
      #expect(error?.kind == .unreachable)
      #expect(error?.message.hasSuffix("it closed the connection") == true)
    }
  }

  @Test func `cancelling ends a request that is not answered`() async throws {
    try await withScratchDirectory { directory in
      // A pipe that a thread waits at would do as well; this engine accepts and never answers.
      let gate = directory.appending("gate")
      try Tool.run("mkfifo", [gate.string])
      try await FakeEngine.serving({ _ in
        // Opening waits for a writer, which comes after the client has gone.
        _ = try? FileDescriptor.open(gate, .readOnly)
        return .init(body: "")
      }) { engine in
        try await asking(.unix(engine.socket)) { client in
          let task = Task { try await client.image("a:b") }
          while engine.requests.isEmpty { await Task.yield() }
          task.cancel()
          await #expect(throws: CancellationError.self) { try await task.value }
        }
        try FileDescriptor.open(gate, .writeOnly).close()
      }
    }
  }
}
