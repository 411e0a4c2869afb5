import AsyncHTTPClient
import Basics
package import Images
import NIOCore
import NIOHTTP1
import SystemPackage

/// Speaks to a Docker engine over its socket; podman's compatible API answers the same.
///
/// Holds connections open between requests: `shutdown()` must be called before it is let go.
/// Cancelling the task that waits for an answer closes the connection at once.
package final class EngineClient: Sendable {
  package struct Info: Hashable, Sendable {
    package let version: String
    /// Images live in containerd: an image's ID is its manifest's digest, not its configuration's.
    package let usesContainerdStore: Bool
  }

  package struct Image: Hashable, Sendable {
    package let id: Digest
    /// The diff IDs of its layers, from the bottom up.
    package let layers: [Digest]
  }

  package let endpoint: EngineEndpoint
  /// `docker` or `podman`, for messages.
  package let runtime: String
  /// Where it is, for messages.
  let place: String
  private let client: HTTPClient
  private let base: String
  private let tunnel: EngineTunnel?
  private let patience = LoadPatience()
  private let clock: any Clock<Duration>

  /// Over a socket, or TCP with or without TLS.
  package convenience init(
    _ endpoint: EngineEndpoint, runtime: String = "docker",
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.init(endpoint, runtime: runtime, place: "\(endpoint)", clock: clock)
  }

  /// - Parameter tunnel: The way to an engine behind ssh, which the caller stops.
  init(
    _ endpoint: EngineEndpoint, runtime: String = "docker", place: String,
    tunnel: EngineTunnel? = nil, clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.clock = clock
    self.endpoint = endpoint
    self.runtime = runtime
    self.place = place
    self.tunnel = tunnel
    var configuration = HTTPClient.Configuration()
    configuration.timeout.connect = .seconds(5)
    // An engine that is not there is to be reported now, not after attempts.
    configuration.connectionPool.retryConnectionEstablishment = false
    switch endpoint {
    case .unix(let path): base = Self.base(path)
    case .tcp(let host, let port): base = "http://\(host):\(port)"
    case .tls(let host, let port, let tls):
      base = "https://\(host):\(port)"
      configuration.tlsConfiguration = tls.configuration
      configuration.httpVersion = .http1Only
    case .ssh:
      guard let tunnel else { preconditionFailure("an engine behind ssh needs a tunnel") }
      base = Self.base(tunnel.socket)
      // A connection costs ssh's greeting on the other machine.
      configuration.connectionPool.idleTimeout = .minutes(10)
    }
    client = HTTPClient(configuration: configuration)
  }

  /// Closes all connections; requests under way fail. To be called once, by the owner.
  package func shutdown() async {
    // It fails only when called twice, and there is nothing left to close then.
    try? await client.shutdown()
  }

  /// - Throws: `RuntimeError` that says why it does not answer; `CancellationError`.
  package func ping() async throws {
    _ = try await get("/_ping", limit: tunnel == nil ? .seconds(5) : .seconds(30))
  }

  package func info() async throws -> Info {
    struct Answer: Decodable {
      enum CodingKeys: String, CodingKey { case version = "ServerVersion", status = "DriverStatus" }
      var version: String?
      var status: [[String]]?
    }
    let answer = try decode(Answer.self, from: try await get("/info", limit: .seconds(30)))
    let containerd = ["driver-type", "io.containerd.snapshotter.v1"]
    return Info(
      version: answer.version ?? "",
      usesContainerdStore: (answer.status ?? []).contains(containerd))
  }

  /// Asks which images the names stand for; each question takes a few milliseconds.
  func images(named references: [ImageReference]) async throws -> [ImageReference: Image] {
    try await withThrowingTaskGroup(of: (ImageReference, Image?).self) { group in
      for reference in references {
        group.addTask { (reference, try await self.image(reference.description)) }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
  }

  /// The image of that name or ID; `nil` when the engine has none.
  package func image(_ name: String) async throws -> Image? {
    struct Answer: Decodable {
      struct RootFS: Decodable {
        enum CodingKeys: String, CodingKey { case layers = "Layers" }
        var layers: [String]?
      }
      enum CodingKeys: String, CodingKey { case id = "Id", rootFS = "RootFS" }
      var id: String
      var rootFS: RootFS?
    }
    guard
      let answer = try await get(
        Answer.self, "/images/\(name)/json", limit: .seconds(60), orMissing: true)
    else { return nil }
    guard let id = Digest(answer.id) else { throw unexpected("image ID \(answer.id)") }
    return Image(id: id, layers: (answer.rootFS?.layers ?? []).compactMap { Digest($0) })
  }

  /// Gives the engine a tar of images.
  ///
  /// No time limit, since unpacking a gigabyte takes what it takes: but bytes have to move, or the
  /// engine to answer other questions.
  ///
  /// - Throws: `RuntimeError` also when the engine reports a failure under status 200;
  ///   `ImageArchiveError` when the archive could not be read to its end; `CancellationError`.
  package func load(_ stream: ImageStream) async throws {
    let movement = LoadProgress()
    var stream = stream
    stream.tell(movement)
    // What docker tells of its progress is a sign of life. Podman tells of none.
    var request = request("/images/load?quiet=\(runtime == "docker" ? 0 : 1)", .POST)
    request.headers.add(name: "Content-Type", value: "application/x-tar")
    request.body = .stream(stream.map { ByteBuffer(bytes: $0) }, length: .known(stream.length))
    let refusal: String?
    do {
      refusal = try await Silence.watching(
        movement, patience, clock: clock, isAlive: { (try? await self.ping()) != nil }
      ) { [request] in try await self.refusal(of: request, movement) }
    } catch let silence as Silence {
      throw await unreachable(silence)
    }
    if let refusal {
      throw RuntimeError(
        runtime: runtime, kind: .refused, message: "\(runtime) refused the image: \(refusal)")
    }
  }

  private func refusal(
    of load: HTTPClientRequest, _ movement: LoadProgress
  ) async throws -> String? {
    try await execute(load, deadline: .distantFuture) { response -> String? in
      var answer = EngineAnswer()
      guard response.status == .ok else {
        return EngineAnswer.message(of: try await Self.collect(response.body))
      }
      for try await buffer in response.body {
        movement.receive(buffer.readableBytes)
        answer.append(buffer.readableBytesView)
      }
      answer.finish()
      return answer.failure
    }
  }
}

extension EngineClient {
  /// - Returns: `nil` for status 404, where that is an answer.
  func get<Value: Decodable>(
    _ type: Value.Type, _ path: String, limit: TimeAmount, orMissing: Bool
  ) async throws -> Value? {
    guard let body = try await get(path, limit: limit, orMissing: orMissing) else { return nil }
    return try decode(type, from: body)
  }

  /// Sends a request without a body, and gives the answer, whatever its status.
  func answer(
    _ method: HTTPMethod, _ path: String, limit: TimeAmount = .seconds(120)
  ) async throws -> (status: UInt, message: String) {
    try await execute(request(path, method), deadline: .now() + limit) { response in
      (
        response.status.code,
        EngineAnswer.message(of: try await Self.collect(response.body))
      )
    }
  }

  private func get(_ path: String, limit: TimeAmount) async throws -> [UInt8] {
    guard let body = try await get(path, limit: limit, orMissing: false) else {
      throw unexpected("status 404 for \(path)")
    }
    return body
  }

  /// - Returns: `nil` for status 404.
  private func get(_ path: String, limit: TimeAmount, orMissing: Bool) async throws -> [UInt8]? {
    let request = request(path, .GET)
    return try await execute(request, deadline: .now() + limit) { response -> [UInt8]? in
      let body = try await Self.collect(response.body)
      if response.status == .ok { return body }
      if response.status == .notFound, orMissing { return nil }
      throw RuntimeError(
        runtime: runtime, kind: .refused,
        message:
          "\(runtime) answered \(response.status.code) to GET \(path): \(EngineAnswer.message(of: body))",
        hint: RuntimeError.hint(forRefusal: EngineAnswer.message(of: body)))
    }
  }

  func request(_ path: String, _ method: HTTPMethod) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: base + path)
    request.method = method
    // The client names no host for a socket, and the engine answers 400 without one.
    if base.hasPrefix("http+unix:") { request.headers.add(name: "Host", value: "docker") }
    return request
  }

  func execute<Answer: Sendable>(
    _ request: HTTPClientRequest, deadline: NIODeadline,
    _ read: (HTTPClientResponse) async throws -> Answer
  ) async throws -> Answer {
    do {
      return try await read(try await client.execute(request, deadline: deadline))
    } catch let error as RuntimeError {
      throw error
    } catch let error as ImageArchiveError {
      throw error
    } catch {
      if error is CancellationError || Task.isCancelled { throw CancellationError() }
      throw await unreachable(error)
    }
  }

  private func unreachable(_ error: any Error) async -> RuntimeError {
    if let tunnel { return RuntimeError(unreachable: place, words: tunnel.words, error) }
    if case .tls(let host, let port, let tls) = endpoint,
      let (reason, remedy) = await EngineTLSFailure(host: host, port: port, tls: tls).explain(error)
    {
      return RuntimeError(unreachable: place, runtime, reason, remedy)
    }
    return RuntimeError(unreachable: place, runtime, error)
  }

  static func collect(_ body: HTTPClientResponse.Body) async throws -> [UInt8] {
    Array(try await body.collect(upTo: 16 << 20).readableBytesView)
  }

  private func decode<Value: Decodable>(_ type: Value.Type, from body: [UInt8]) throws -> Value {
    do throws(JSON.Malformed) {
      return try JSON.decode(type, from: body)
    } catch {
      throw unexpected(error.description)
    }
  }

  private func unexpected(_ what: String) -> RuntimeError {
    RuntimeError(
      runtime: runtime, kind: .refused, message: "unexpected answer from \(place): \(what)",
      hint: "is a Docker engine listening there?")
  }

  private static func base(_ socket: FilePath) -> String {
    "http+unix://\(socket.string.percentEncoded)"
  }
}
