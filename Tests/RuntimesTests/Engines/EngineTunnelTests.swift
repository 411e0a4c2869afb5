import Basics
import SystemPackage
import TestSupport
import Testing

@testable import Images
@testable import Processes
@testable import Runtimes

/// The way through ssh, with programs in docker's place.
@Suite struct EngineTunnelTests {
  /// Runs `body` with a client at the tunnel's end, and stops both.
  private func with<Value>(
    _ command: Command, clock: any Clock<Duration> = ContinuousClock(),
    _ body: (EngineClient, FilePath) async throws -> Value
  ) async throws -> Value {
    try await withScratchDirectory { directory in
      let tunnel = EngineTunnel(command, in: directory, runner: SubprocessRunner(), clock: clock)
      try await tunnel.start()
      let client = EngineClient(.ssh("ssh://far"), place: "ssh://far", tunnel: tunnel)
      let result: Result<Value, any Error>
      do {
        result = .success(try await body(client, directory))
      } catch {
        result = .failure(error)
      }
      await client.shutdown()
      await tunnel.stop()
      #expect(try Tool.run("ls", [directory.string]).contains("watchbuild-ssh") == false)
      return try result.get()
    }
  }

  /// The one request without a time limit: on a busy machine a program may take long to start.
  private static func send(_ bytes: [UInt8], to client: EngineClient) async throws {
    var stream = ImageStream()
    stream.appendBytes(bytes)
    try await client.load(stream)
  }

  /// What `docker system dial-stdio` does, with a socket of this machine.
  private func bridge(to socket: FilePath) -> Command {
    let program = """
      import os, socket, sys, threading
      engine = socket.socket(socket.AF_UNIX)
      engine.connect(sys.argv[1])
      def up():
          while data := os.read(0, 65536): engine.sendall(data)
          engine.shutdown(socket.SHUT_WR)
      threading.Thread(target=up, daemon=True).start()
      while data := engine.recv(65536): os.write(1, data)
      """
    return Command("python3", ["-c", program, socket.string])
  }

  @Test func `an engine at the other end answers as one on a socket`() async throws {
    try await FakeEngine.serving({ _ in .init(body: "{}") }) { engine in
      try await with(bridge(to: engine.socket)) { client, directory in
        let mode = try Tool.run("sh", ["-c", "stat -c %a \(directory)/watchbuild-ssh-*"])
        #expect(mode == "700\n")
        try await Self.send([1], to: client)
        try await Self.send([2], to: client)
      }
      #expect(engine.requests.map(\.body) == [[1], [2]])
    }
  }

  @Test func `an upload arrives whole, however slowly it is taken`() async throws {
    try await FakeEngine.serving({ _ in .init(body: "{}") }) { engine in
      try await with(bridge(to: engine.socket)) { client, _ in
        let bytes = TestImage.filling(8 << 20, seed: "upload")
        try await Self.send(bytes, to: client)
        #expect(engine.loads.first?.body == bytes)
      }
    }
  }

  @Test(arguments: [
    (
      Command(
        "sh",
        [
          "-c",
          "echo 'command [ssh] has exited with exit status 255: stderr=Host key verification failed.' >&2; exit 1",
        ]),
      "Host key verification failed."
    ),
    (Command("sh", ["-c", "echo 'no such context' >&2; exit 1"]), "no such context"),
    (
      Command("sh", ["-c", "echo 'This account is not available.'; exit 1"]),
      "This account is not available."
    ),
    (Command("sh", ["-c", "echo 'Welcome!'; exec cat >/dev/null"]), "Welcome!"),
    // As docker does, when ssh is quicker to end than it is to write.
    (
      Command(
        "sh",
        [
          "-c",
          "if read -r _; then echo 'error while Copy: write |1: broken pipe'; else echo 'stderr=refused'; fi >&2; exit 1",
        ]),
      "refused"
    ),
    (Command("false"), "docker ended with exited(1)"),
    (Command("no-such-docker"), "no-such-docker: not found in PATH; install it or give its path"),
  ])
  func `what a program says that fails is the error`(command: Command, words: String) async throws {
    let error = await #expect(throws: RuntimeError.self) {
      try await with(command) { client, _ in try await Self.send([1], to: client) }
    }
    #expect(error?.kind == .unreachable)
    #expect(error?.message == "docker does not answer at ssh://far: \(words)")
    #expect(error?.hint?.hasPrefix("does ssh to that host run 'docker version'") == true)
  }

  @Test func `a failure that is over is not told again`() async throws {
    try await FakeEngine.serving({
      .init(body: "{}", isDropped: $0.body == [2])
    }) { engine in
      let dial = bridge(to: engine.socket)
      let once = #"[ -e "$1" ] && shift && exec "$@"; : >"$1"; echo broken >&2; exit 1"#
      let mark = engine.socket.removingLastComponent().appending("mark")
      let command = Command(
        "sh", ["-c", once, "sh", mark.string, dial.executable] + dial.arguments)
      try await with(command) { client, _ in
        let first = await #expect(throws: RuntimeError.self) {
          try await Self.send([1], to: client)
        }
        #expect(first?.message.hasSuffix(": broken") == true)
        try await Self.send([1], to: client)
        let second = await #expect(throws: RuntimeError.self) {
          try await Self.send([2], to: client)
        }
        #expect(second?.message.hasSuffix(": it closed the connection") == true)
      }
    }
  }

  @Test func `a program that does not end is ended, and nothing stays`() async throws {
    let clock = ManualClock()
    // Does not look at its input; ends by force only.
    let runner = ScriptedRunner { _, _ in
      try await clock.pause(for: .seconds(1000))
      return .exited(0)
    }
    try await withScratchDirectory { place in
      let tunnel = EngineTunnel(Command("docker"), in: place, runner: runner, clock: clock)
      try await tunnel.start()
      let client = EngineClient(.ssh("ssh://far"), place: "ssh://far", tunnel: tunnel)
      let load = Task { try await Self.send([1], to: client) }
      while clock.sleeperCount == 0 { await Task.yield() }
      load.cancel()
      await #expect(throws: CancellationError.self) { try await load.value }
      await client.shutdown()
      let stop = Task { await tunnel.stop() }
      while clock.sleeperCount < 2 { await Task.yield() }
      clock.advance(by: .seconds(1))
      await stop.value
      #expect(try Tool.run("ls", [place.string]) == "")
    }
  }

  @Test func `an answer without end is not kept`() async throws {
    let script =
      #"printf 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n'; "#
      + "head -c 17000000 /dev/zero; exec cat >/dev/null"
    let error = await #expect(throws: RuntimeError.self) {
      try await with(Command("sh", ["-c", script])) { client, _ in try await client.image("a:b") }
    }
    #expect(error?.kind == .unreachable)
  }

  @Test func `a directory that can't be made is told`() async throws {
    let tunnel = EngineTunnel(
      Command("true"), in: "/nowhere", runner: ScriptedRunner(), clock: ContinuousClock())
    let error = await #expect(throws: RuntimeError.self) { try await tunnel.start() }
    #expect(error?.message.contains("/nowhere/watchbuild-ssh-") == true)
    #expect(error?.hint?.contains("XDG_RUNTIME_DIR") == true)
  }

  @Test func `ssh asks nobody, unless somebody can answer`() {
    let alone = EngineTunnel.command(to: "ssh://far", environment: [:])
    #expect(alone.argv == ["docker", "system", "dial-stdio"])
    #expect(
      alone.environment == [
        "DOCKER_HOST": "ssh://far", "DOCKER_CONTEXT": "", "DOCKER_TLS_VERIFY": "",
        "SSH_ASKPASS": "/bin/false", "SSH_ASKPASS_REQUIRE": "force",
      ])
    let asked = EngineTunnel.command(to: "ssh://far", environment: ["SSH_ASKPASS": "/usr/bin/ask"])
    #expect(asked.environment["SSH_ASKPASS"] == nil)
    #expect(asked.environment["SSH_ASKPASS_REQUIRE"] == nil)
  }
}
