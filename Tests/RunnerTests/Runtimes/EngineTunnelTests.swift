import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Runner

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
    let body = #"{"ServerVersion":"28.2.2"}"#
    try await FakeEngine.serving({ _ in .init(body: body) }) { engine in
      try await with(bridge(to: engine.socket)) { client, directory in
        let mode = try Tool.run("sh", ["-c", "stat -c %a \(directory)/watchbuild-ssh-*"])
        #expect(mode == "700\n")
        try await client.ping()
        #expect(try await client.info().version == "28.2.2")
      }
      #expect(engine.requests.map(\.path) == ["/_ping", "/info"])
    }
  }

  @Test func `an upload arrives whole, however slowly it is taken`() async throws {
    try await FakeEngine.serving({ _ in .init(body: "{}") }) { engine in
      try await with(bridge(to: engine.socket)) { client, _ in
        let bytes = TestImage.filling(24 << 20, seed: "upload")
        var stream = ImageStream()
        stream.appendBytes(bytes)
        try await client.load(stream)
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
    (Command("false"), "docker ended with exited(1)"),
    (Command("no-such-docker"), "no-such-docker: not found in PATH; install it or give its path"),
  ])
  func `what a program says that fails is the error`(command: Command, words: String) async throws {
    let error = await #expect(throws: RuntimeError.self) {
      try await with(command) { client, _ in try await client.ping() }
    }
    #expect(error?.kind == .unreachable)
    #expect(error?.message == "docker does not answer at ssh://far: \(words)")
    #expect(error?.hint?.hasPrefix("does ssh to that host run 'docker version'") == true)
  }

  @Test func `a failure that is over is not told again`() async throws {
    try await FakeEngine.serving({
      $0.path == "/info" ? .init(body: "", isDropped: true) : .init(body: "OK")
    }) { engine in
      let dial = bridge(to: engine.socket)
      let once = #"[ -e "$1" ] && shift && exec "$@"; : >"$1"; echo broken >&2; exit 1"#
      let mark = engine.socket.removingLastComponent().appending("mark")
      let command = Command(
        "sh", ["-c", once, "sh", mark.string, dial.executable] + dial.arguments)
      try await with(command) { client, _ in
        let first = await #expect(throws: RuntimeError.self) { try await client.ping() }
        #expect(first?.message.hasSuffix(": broken") == true)
        try await client.ping()
        let second = await #expect(throws: RuntimeError.self) { try await client.info() }
        #expect(second?.message.hasSuffix(": it closed the connection") == true)
      }
    }
  }

  @Test func `a program that does not end is ended, and nothing stays`() async throws {
    let clock = ManualClock()
    try await withScratchDirectory { place in
      let mark = place.appending("pid")
      let tunnel = EngineTunnel(
        Command("sh", ["-c", #"trap '' INT; echo $$ >"$1"; exec sleep 1000"#, "sh", mark.string]),
        in: place, runner: SubprocessRunner(), clock: clock)
      try await tunnel.start()
      let client = EngineClient(.ssh("ssh://far"), place: "ssh://far", tunnel: tunnel)
      let ping = Task { try await client.ping() }
      var id: Int32?
      while id == nil {
        // Until the program has written it.
        id = (try? mark.read()).flatMap { Int32(String(decoding: $0.dropLast(), as: UTF8.self)) }
        await Task.yield()
      }
      ping.cancel()
      await #expect(throws: CancellationError.self) { try await ping.value }
      await client.shutdown()
      let stop = Task { await tunnel.stop() }
      while clock.sleeperCount == 0 { await Task.yield() }
      clock.advance(by: .seconds(1))
      await stop.value
      #expect(kill(try #require(id), 0) == -1)
      #expect(try Tool.run("ls", [place.string]) == "pid\n")
    }
  }

  @Test func `an answer without end is not kept`() async throws {
    let script =
      #"printf 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n'; exec cat /dev/zero"#
    let error = await #expect(throws: RuntimeError.self) {
      try await with(Command("sh", ["-c", script])) { client, _ in try await client.info() }
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
