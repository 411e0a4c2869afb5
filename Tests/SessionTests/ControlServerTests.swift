import Basics
import Batching
import Foundation
import Glibc
import Runner
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Events
@testable import Session

/// The control socket with a loop that a test plays.
@Suite(.timeLimit(.minutes(10))) struct ControlServerTests {
  /// What a test's server is asked, and what it answers.
  private final class Desk: Sendable {
    let demands = Mutex<[Request.Demand]>([])
    let answers = Mutex<[Answer]>([])
    let hasGone = Mutex(0)
    let stops = Mutex(0)
    /// Lets all who are waiting go.
    let released = Interruption()

    func answer(_ demand: Request.Demand) async -> Answer {
      demands.withLock { $0.append(demand) }
      let answer = answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
      if let answer { return answer }
      // Never, unless whoever asks goes away.
      do {
        _ = try await released.run { for await _ in AsyncStream<Never>.makeStream().stream {} }
      } catch {
        hasGone.withLock { $0 += 1 }
      }
      return .verdict(Verdict(.stopping))
    }
  }

  private let scratch: TemporaryDirectory
  private let place: ControlPlace
  private let desk = Desk()
  private let hub = EventHub(limit: 100) { Date(timeIntervalSince1970: 0) }

  init() throws {
    scratch = try TemporaryDirectory()
    place = ControlPlace(directory: scratch.path.appending("control"), name: "w.sock")
  }

  private func serving<Value: Sendable>(
    _ limits: ControlServer.Limits = .init(), _ body: @Sendable () async throws -> Value
  ) async throws -> Value {
    let run = StatusReport.Run(
      version: "1", workspace: "/w", process: 1, start: Date(timeIntervalSince1970: 0),
      trigger: "notify")
    let (desk, hub) = (desk, hub)
    let api = ControlAPI(
      ask: { await desk.answer($0) },
      status: {
        StatusReport(run, loop: LoopState.Snapshot(), window: nil, degraded: [], seq: hub.last)
      }, events: { EventLines(hub, since: $0, goesOn: $1) },
      stop: { desk.stops.withLock { $0 += 1 } })
    let server = ControlServer(try await ControlSocket.listen(at: place), api, limits: limits)
    try await server.start()
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    await server.stop()
    return try result.get()
  }

  /// Asks on a thread of its own: the client waits in the kernel.
  private func ask(
    _ method: String, _ path: String, _ body: String = ""
  ) async throws -> (status: Int, body: String) {
    let place = place
    return try await Self.blocking {
      let response = try ControlClient(places: [place]).ask(
        method, path, body: Array(body.utf8), patience: .seconds(30))
      return (response.status, String(decoding: response.body, as: UTF8.self))
    }
  }

  /// Sends bytes as they are, and reads all that comes back.
  private func raw(_ text: String) async throws -> String {
    let place = place
    return try await Self.blocking {
      let script = "printf '%s' \"$1\" | timeout 20 python3 -c '\(Self.rawClient)' \"$2\""
      return try Tool.run("sh", ["-c", script, "sh", text, place.path.string])
    }
  }

  private static let rawClient = """
    import socket,sys
    s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
    s.sendall(sys.stdin.buffer.read())
    d=b""
    while True:
        c=s.recv(65536)
        if not c: break
        d+=c
    sys.stdout.write(d.decode())
    """

  private static func blocking<Value: Sendable>(
    _ work: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
    }
  }

  // MARK: Requests

  @Test func `a wait is asked as it is meant, and answered with its verdict`() async throws {
    desk.answers.withLock { $0 = [.verdict(Verdict(.ok, cycle: 3))] }
    try scratch.write("", to: "there")
    let there = scratch.path.appending("there")
    let (status, body) = try await serving {
      try await ask(
        "POST", "/v1/wait",
        #"{"paths":["\#(there)","/not/../gone"],"for":"built","timeoutMs":60000}"#)
    }
    #expect(status == 200)
    #expect(body == #"{"cycle":3,"diagnostics":[],"images":[],"verdict":"ok"}"# + "\n")
    let question = Question(.paths([there, "/gone"]), missing: ["/gone"], upTo: .built)
    #expect(desk.demands.withLock { $0 } == [.wait(question)])
  }

  @Test func `each route asks what it is for`() async throws {
    desk.answers.withLock { $0 = Array(repeating: .accepted, count: 4) }
    let statuses = try await serving {
      var statuses: [Int] = []
      for (path, body) in [
        ("trigger", #"{"images":["a"]}"#), ("trigger", ""), ("pause", ""), ("resume", ""),
        ("stop", ""),
      ] {
        statuses.append(try await ask("POST", "/v1/\(path)", body).status)
      }
      return statuses
    }
    #expect(statuses == [200, 200, 200, 200, 202])
    #expect(
      desk.demands.withLock { $0 }
        == [.trigger(["a"], upTo: nil), .trigger([], upTo: nil), .pause, .resume])
    #expect(desk.stops.withLock { $0 } == 1)
  }

  @Test func `a wait ends with its timeout`() async throws {
    let (status, body) = try await serving {
      try await ask("POST", "/v1/wait", #"{"timeoutMs":20}"#)
    }
    #expect(status == 200)
    #expect(body.contains(#""verdict":"timeout""#))
  }

  @Test(arguments: [
    ("GET", "/v1/wait", "", 405, "method"), ("GET", "/v2/status", "", 404, "unknownRoute"),
    ("POST", "/v1/wait", "{", 400, "badRequest"),
    ("POST", "/v1/wait", #"{"paths":["relative"]}"#, 400, "badRequest"),
    ("POST", "/v1/wait", #"{"paths":7}"#, 400, "badRequest"),
    ("POST", "/v1/wait", #"{"for":"soon"}"#, 400, "badRequest"),
    ("POST", "/v1/wait", #"{"timeoutMs":-1}"#, 400, "badRequest"),
    ("GET", "/v1/events?since=x", "", 400, "badRequest"), ("GET", "/v1/logs/api", "", 404, "noLog"),
  ])
  func `a request that makes no sense is told why`(
    _ method: String, _ path: String, _ body: String, _ status: Int, _ code: String
  ) async throws {
    let answer = try await serving { try await ask(method, path, body) }
    #expect(answer.status == status)
    #expect(answer.body.contains(#""code":"\#(code)""#))
    #expect(desk.demands.withLock { $0 }.isEmpty)
  }

  @Test func `what the loop does not know is told with its code`() async throws {
    desk.answers.withLock {
      $0 = [.unknownPaths(["/w/x"]), .unknownImages(["y"], known: ["a"]), .refused]
    }
    let answers = try await serving {
      var answers: [(Int, String)] = []
      for _ in 0..<3 { answers.append(try await ask("POST", "/v1/wait")) }
      return answers
    }
    #expect(answers.map(\.0) == [404, 404, 503])
    #expect(answers[0].1.contains("no such file: /w/x"))
    #expect(answers[1].1.contains("no image is named 'y'; there are: a"))
  }

  @Test(arguments: [
    "Host: evil.example", "Host: localhost\r\nOrigin: https://evil.example",
    "Host: localhost\r\nHost: localhost", "X: y",
  ])
  func `whoever comes from a browser is refused`(_ headers: String) async throws {
    let answer = try await serving {
      try await raw("POST /v1/stop HTTP/1.1\r\n\(headers)\r\nContent-Length: 0\r\n\r\n")
    }
    #expect(answer.hasPrefix("HTTP/1.1 403 "))
    #expect(desk.stops.withLock { $0 } == 0)
  }

  @Test func `what is no request at all is refused`() async throws {
    let answer = try await serving { try await raw("hello\r\n\r\n") }
    #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 400 "))
  }

  // MARK: Bounds

  @Test func `a request of 100 MB is refused by what it announces, and by what it sends`()
    async throws
  {
    let (announced, sent) = try await serving {
      let announced = try await raw(
        "POST /v1/wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: 104857600\r\n\r\nabc")
      let place = place
      let sent = try await Self.blocking {
        try Tool.run("python3", ["-c", Self.hugeClient, place.path.string])
      }
      return (announced, sent)
    }
    #expect(announced.hasPrefix("HTTP/1.1 413 "))
    #expect(sent.hasPrefix("HTTP/1.1 413 "))
    #expect(desk.demands.withLock { $0 }.isEmpty)
  }

  private static let hugeClient = """
    import socket,sys
    s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
    s.sendall(b"POST /v1/wait HTTP/1.1\\r\\nHost: localhost\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
    try:
        for _ in range(100): s.sendall(b"100000\\r\\n"+b"x"*(1<<20)+b"\\r\\n")
    except OSError: pass
    d=b""
    try:
        while True:
            c=s.recv(65536)
            if not c: break
            d+=c
    except OSError: pass
    sys.stdout.write(d.decode())
    """

  @Test func `whoever does not end its request is given up`() async throws {
    var limits = ControlServer.Limits()
    limits.reading = .milliseconds(50)
    let answer = try await serving(limits) {
      try await raw("POST /v1/wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n")
    }
    #expect(answer == "")
    #expect(desk.demands.withLock { $0 }.isEmpty)
  }

  @Test func `one connection too many is told so`() async throws {
    var limits = ControlServer.Limits()
    limits.connections = 2
    let desk = desk
    let status = try await serving(limits) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<2 {
          group.addTask { _ = try? await ask("POST", "/v1/wait", #"{"timeoutMs":30000}"#) }
        }
        while desk.demands.withLock({ $0.count }) < 2 { await Task.yield() }
        let status = try await ask("GET", "/v1/status").status
        desk.released.interrupt()
        return status
      }
    }
    #expect(status == 503)
  }

  @Test func `a client that goes away is asked for no longer`() async throws {
    let desk = desk
    try await serving {
      let place = place
      try await Self.blocking {
        _ = try? ControlClient(places: [place]).ask(
          "POST", "/v1/wait", patience: .seconds(1))
      }
      while desk.hasGone.withLock({ $0 }) == 0 { await Task.yield() }
    }
    #expect(desk.hasGone.withLock { $0 } == 1)
  }

  // MARK: Events

  @Test func `events come from where the reader left off`() async throws {
    for _ in 1...5 { hub.record(.ready) }
    let answer = try await serving { try await ask("GET", "/v1/events?since=3&follow=0") }
    #expect(answer.body.split(separator: "\n").count == 2)
    #expect(answer.body.contains(#""seq":4"#))
  }

  @Test func `a reader that never reads keeps nobody waiting, and goes with the server`()
    async throws
  {
    let hub = hub
    let count = try await serving {
      let place = place
      let reader = Task {
        try await Self.blocking {
          try Tool.run(
            "timeout", ["10", "python3", "-c", Self.idleClient, place.path.string])
        }
      }
      while hub.waitingCount == 0 { await Task.yield() }
      for _ in 1...50_000 { hub.record(.ready) }
      let status = try await ask("GET", "/v1/status").status
      #expect(status == 200)
      _ = try await reader.value
      return hub.last
    }
    #expect(count == 50_000)
  }

  /// Asks for events, reads none for a while, and then looks for the word on what it missed.
  private static let idleClient = """
    import socket,sys,time
    s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
    s.sendall(b"GET /v1/events HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
    time.sleep(1)
    s.settimeout(5)
    d=b""
    while b'"type":"missed"' not in d: d=d[-200:]+s.recv(65536)
    """

  @Test func `who follows gets what is recorded just before the end`() async throws {
    for _ in 0..<20 {
      let place = place
      let (following, has) = AsyncStream.makeStream(of: String.self)
      try await serving {
        let last = hub.last
        Thread.detachNewThread {
          // It ends with the server.
          _ = try? ControlClient(places: [place]).stream("GET", "/v1/events?since=\(last)") {
            has.yield(String(decoding: $0, as: UTF8.self))
          }
          has.finish()
        }
        while hub.waitingCount == 0 { await Task.yield() }
        hub.record(.stopping(reason: "SIGINT"))
      }
      let told = await following.reduce(into: "") { $0 += $1 }
      #expect(told.contains(#""type":"stopping""#))
      #expect(told.hasSuffix("}\n"))
    }
  }

  // MARK: Chance

  @Test(.timeLimit(.minutes(30)))
  func `requests made by chance crash nothing, and others are served afterwards`() async throws {
    let good = [
      "GET /v1/status HTTP/1.1\r\nHost: watchbuild\r\n\r\n",
      "POST /v1/pause HTTP/1.1\r\nHost: watchbuild\r\nContent-Length: 2\r\n\r\n{}",
      "POST /v1/wait HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 36\r\n\r\n"
        + #"{"paths":["/x"],"timeoutMs":1,"a":1}"#,
      "GET /v1/events?since=0&follow=0 HTTP/1.1\r\nHost: watchbuild\r\n\r\n",
    ].map { Array($0.utf8) }
    desk.released.interrupt()
    let place = place
    let status = try await serving(.init()) {
      try await Self.blocking {
        var fuzz = Fuzz(
          "control socket",
          words: [
            "\r\n\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n", "HTTP/", "Host: x",
            "%", "?",
          ])
        for _ in 0..<fuzz.cases { Self.send(fuzz.mutated(good), to: place) }
      }
      return try await ask("GET", "/v1/status").status
    }
    #expect(status == 200)
  }

  /// Sends bytes, ends its side, and reads until the other does.
  private static func send(_ bytes: [UInt8], to place: ControlPlace) {
    let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) {
      $0.copyBytes(from: place.path.string.utf8.prefix(100))
    }
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
    #expect(isConnected)
    _ = Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    shutdown(socket, Int32(SHUT_WR))
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    while recv(socket, &buffer, buffer.count, 0) > 0 {}
  }
}
