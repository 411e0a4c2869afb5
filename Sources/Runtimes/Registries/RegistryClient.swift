import AsyncHTTPClient
import Basics
import Images
import NIOCore
import NIOHTTP1
import Synchronization
import SystemPackage

/// Speaks to one registry: https, or plain http where that is what answers on this machine.
///
/// A login goes to the registry and to the https address that it names for tokens, to nobody else:
/// neither to where it redirects nor to where it wants blobs to be sent.
/// Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
final class RegistryClient: Sendable {
  struct Answer: Sendable {
    var status: Int
    /// Absolute.
    var location: String?
    var digest: Digest?
    var challenge: RegistryChallenge?
    /// The name that the server gives itself, such as `nginx/1.22.1`.
    var server: String?
    /// At most the first megabyte.
    var body: [UInt8] = []
  }

  let address: RegistryAddress
  private let client: HTTPClient
  private let authorization: RegistryAuthorization
  private let certificates: RegistryCertificates
  /// The time that it may stay silent, and take to answer where nothing is sent.
  private let patience: TimeAmount
  private let loadPatience = LoadPatience()
  private let clock: any Clock<Duration>

  private struct State {
    var base: WebOrigin?
    var hasAnswered = false
    var authorizations: [RegistryAccess: String] = [:]
  }
  private let state = Mutex(State())

  init(
    _ address: RegistryAddress, credentials: RegistryCredentials,
    certificates: RegistryCertificates, patience: Duration,
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.address = address
    self.clock = clock
    self.certificates = certificates
    self.patience = TimeAmount(patience)
    authorization = RegistryAuthorization(address: address, credentials: credentials)
    var configuration = HTTPClient.Configuration()
    configuration.timeout = .init(
      connect: .seconds(10), read: self.patience, write: self.patience)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    // Followed by us, who know what may go where.
    configuration.redirectConfiguration = .disallow
    configuration.tlsConfiguration = certificates.tls
    client = HTTPClient(configuration: configuration)
  }

  func shutdown() async {
    // It fails only when called twice, and there is nothing left to close then.
    try? await client.shutdown()
  }

  /// True if something has answered there since we began.
  var hasAnswered: Bool { state.withLock(\.hasAnswered) }

  /// - Parameters:
  ///   - path: Below `/v2/`, or a `Location` that the registry gave.
  ///   - access: What has to be allowed.
  ///   - receive: Given the body of status 200, piece by piece, however large it is.
  /// - Throws: `RuntimeError` when it can't be reached, is too busy or lets us not in;
  ///   `ImageArchiveError`; `CancellationError`; what `receive` throws.
  func send(
    _ method: HTTPMethod, _ path: String, for access: RegistryAccess,
    headers: [(String, String)] = [], body: ImageStream? = nil, receive: Receiver? = nil
  ) async throws -> Answer {
    if let problem = certificates.problem {
      throw RuntimeError(
        runtime: "registry:\(address)", kind: .storage, message: problem.message,
        hint: problem.hint)
    }
    let base = try await base()
    var url = path.contains("://") ? path : "\(base)/v2/\(path)"
    var grants = 0
    var redirects = 0
    while true {
      let isOurs = try check(url, base) == base
      var request = HTTPClientRequest(url: url)
      request.method = method
      for (name, value) in headers { request.headers.add(name: name, value: value) }
      if isOurs, let header = state.withLock({ $0.authorizations[access] }) {
        request.headers.add(name: "Authorization", value: header)
      }
      let movement = LoadProgress()
      if var body {
        body.tell(movement)
        request.body = .stream(body.map { ByteBuffer(bytes: $0) }, length: .known(body.length))
      } else if method != .GET, method != .HEAD {
        request.headers.add(name: "Content-Length", value: "0")
      }
      let answer = try await execute(request, body == nil ? nil : movement, receive)
      switch answer.status {
      case 401 where isOurs:
        // A token that lasts for seconds may end before it is read.
        guard let challenge = answer.challenge, grants == 0 || challenge.rejectsToken && grants < 3
        else {
          state.withLock { $0.authorizations[access] = nil }
          throw try await authorization.refusal(answer, access)
        }
        let header = try await authorization.header(
          for: challenge, access, from: base, answer, asking: executeIfNotBusy)
        state.withLock { $0.authorizations[access] = header }
        grants += 1
      case 301, 302, 303, 307, 308:
        guard let location = answer.location, method == .GET || method == .HEAD, redirects < 5
        else { throw sentAway(answer) }
        url = location
        redirects += 1
      case let status where Self.busy.contains(status):
        throw busy(answer)
      default:
        return answer
      }
    }
  }

  typealias Receiver = @Sendable ([UInt8]) throws -> Void

  /// Statuses of a proxy that does not reach the registry, and of anyone who wants us to come back later: for
  /// us the registry is `unreachable` then, and is to be tried again.
  private static let busy: Set<Int> = [429, 502, 503, 504]

  private func executeIfNotBusy(_ request: HTTPClientRequest) async throws -> Answer {
    let answer = try await execute(request)
    guard !Self.busy.contains(answer.status) else { throw busy(answer) }
    return answer
  }

  /// - Parameter movement: Of the body, where there is one.
  private func execute(
    _ request: HTTPClientRequest, _ movement: LoadProgress?, _ receive: Receiver?
  ) async throws -> Answer {
    guard let movement else { return try await execute(request, receive) }
    do {
      return try await Silence.watching(
        movement, loadPatience, clock: clock,
        isAlive: { await self.isAnswering() }
      ) { try await self.execute(request) }
    } catch let silence as Silence {
      throw RuntimeError(unreachable: address, silence)
    }
  }

  /// Tells whether anything answers there, whatever it says.
  private func isAnswering() async -> Bool {
    guard let base = state.withLock({ $0.base }) else { return false }
    return (try? await execute(HTTPClientRequest(url: "\(base)/v2/"))) != nil
  }

  private func execute(
    _ request: HTTPClientRequest, _ receive: Receiver? = nil
  ) async throws -> Answer {
    do {
      // What is long on its way is ended by silence alone.
      let isShort = request.body == nil && receive == nil
      let deadline: NIODeadline = isShort ? .now() + patience : .distantFuture
      let response = try await client.execute(request, deadline: deadline)
      state.withLock { $0.hasAnswered = true }
      var answer = Answer(status: Int(response.status.code))
      answer.location = response.headers.first(name: "Location")
        .map { WebOrigin.resolve($0, against: request.url) }
      answer.digest = response.headers.first(name: "Docker-Content-Digest")
        .flatMap { Digest($0) }
      answer.challenge =
        response.headers["WWW-Authenticate"].lazy
        .compactMap { RegistryChallenge($0) }.first
      answer.server = response.headers.first(name: "Server").map { Self.printable($0) }
      if let receive, response.status == .ok {
        for try await buffer in response.body { try receive(Array(buffer.readableBytesView)) }
      } else if request.method != .HEAD {
        do {
          answer.body = try await Self.beginning(of: response.body)
        } catch  where answer.status >= 400 && !Task.isCancelled {
          // One that refuses before it has read all may close: the status is what counts.
        }
      }
      return answer
    } catch let error as ImageArchiveError {
      throw error
    } catch let error as Errno {
      // Of our own disk.
      throw error
    } catch {
      if error is CancellationError || Task.isCancelled { throw CancellationError() }
      throw RuntimeError(unreachable: address, error)
    }
  }

  /// No server makes us hold more than a megabyte.
  private static func beginning(of body: HTTPClientResponse.Body) async throws -> [UInt8] {
    let limit = 1 << 20
    var bytes: [UInt8] = []
    for try await buffer in body {
      bytes += buffer.readableBytesView.prefix(limit - bytes.count)
      if bytes.count == limit { break }
    }
    return bytes
  }
}

extension RegistryClient {
  /// `https://HOST`; on this machine `http://HOST`, where that is what answers there.
  private func base() async throws -> WebOrigin {
    if let base = state.withLock({ $0.base }) { return base }
    guard let secure = WebOrigin("https://\(address.host)"),
      let plain = WebOrigin("http://\(address.host)")
    else { throw failure("\(address.host) is no registry's address", "give HOST[:PORT]") }
    var base = secure
    if address.isLocal {
      do {
        let status = try await execute(HTTPClientRequest(url: "\(plain)/v2/")).status
        // What a server that wants TLS answers, if it answers at all.
        let wantsTLS = status == 400 || (300..<400).contains(status)
        if !wantsTLS { base = plain }
      } catch let error as RuntimeError {
        if error.message.contains("connection refused") { throw error }
        // Perhaps it was only just going down.
        return secure
      }
    }
    state.withLock { $0.base = base }
    return base
  }

  /// - Returns: Whom the address belongs to.
  private func check(_ url: String, _ base: WebOrigin) throws -> WebOrigin {
    guard let origin = WebOrigin(url) else {
      throw failure("registry \(address.host) sends us to what is no address", nil)
    }
    guard origin.isSecure || !base.isSecure else {
      throw failure(
        "registry \(address.host) sends us from https on to \(origin)",
        "does what stands before it forward X-Forwarded-Proto? Its own setting is http.host")
    }
    return origin
  }

  private func sentAway(_ answer: Answer) -> RuntimeError {
    let target = answer.location.flatMap { WebOrigin($0) }
    return failure(
      "registry \(address.host) sends us on to \(target.map(\.description) ?? "nowhere") "
        + "(\(answer.status))", "is that where the registry is? Then name it")
  }

  private func failure(_ message: String, _ hint: String?) -> RuntimeError {
    RuntimeError(runtime: "registry:\(address)", kind: .refused, message: message, hint: hint)
  }

  private func busy(_ answer: Answer) -> RuntimeError {
    RuntimeError(
      runtime: "registry:\(address)", kind: .unreachable,
      message: "registry \(address.host) is not to be had: \(Self.message(answer))",
      hint: "is what stands behind \(answer.server ?? "it") running?")
  }
}

extension TimeAmount {
  fileprivate init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self = .seconds(seconds) + .nanoseconds(attoseconds / 1_000_000_000)
  }
}
