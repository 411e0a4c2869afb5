import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization
import SystemPackage

/// Speaks to one registry: https, or plain http where that is what answers on this machine.
///
/// Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
final class RegistryClient: Sendable {
  struct Answer: Sendable {
    var status: Int
    var location: String?
    var digest: Digest?
    var challenge: String?
    /// At most the first megabyte.
    var body: [UInt8] = []
  }

  let address: RegistryAddress
  private let client: HTTPClient
  private let credentials: RegistryCredentials

  private struct State {
    var base: String?
    /// The `Authorization` header by repository.
    var authorizations: [String: String] = [:]
  }
  private let state = Mutex(State())

  /// - Parameter certificates: Directories in which `HOST` is a directory of CA certificates.
  init(_ address: RegistryAddress, credentials: RegistryCredentials, certificates: [FilePath]) {
    self.address = address
    self.credentials = credentials
    var configuration = HTTPClient.Configuration()
    configuration.timeout.connect = .seconds(10)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    var tls = TLSConfiguration.makeClientConfiguration()
    // A file that is none is as good as no file: the connection then says which certificate it is.
    let roots = Self.certificateFiles(certificates.map { $0.appending(address.host) })
      .flatMap { (try? NIOSSLCertificate.fromPEMFile($0.string)) ?? [] }
    if !roots.isEmpty { tls.additionalTrustRoots = [.certificates(roots)] }
    configuration.tlsConfiguration = tls
    client = HTTPClient(configuration: configuration)
  }

  func shutdown() async {
    // It fails only when called twice, and there is nothing left to close then.
    try? await client.shutdown()
  }

  /// - Parameters:
  ///   - path: Below `/v2/`, or a `Location` that the registry gave.
  ///   - repository: Whose authorization is needed.
  /// - Throws: `RuntimeError` when it can't be reached or lets us not in; `ImageArchiveError`;
  ///   `CancellationError`.
  func send(
    _ method: HTTPMethod, _ path: String, repository: String, headers: [(String, String)] = [],
    body: ImageStream? = nil
  ) async throws -> Answer {
    let url = try await absolute(path)
    for attempt in 0... {
      var request = HTTPClientRequest(url: url)
      request.method = method
      for (name, value) in headers { request.headers.add(name: name, value: value) }
      if let authorization = state.withLock({ $0.authorizations[repository] }), isOurs(url) {
        request.headers.add(name: "Authorization", value: authorization)
      }
      if let body {
        request.body = .stream(body.map { ByteBuffer(bytes: $0) }, length: .known(body.length))
      } else if method != .GET, method != .HEAD {
        request.headers.add(name: "Content-Length", value: "0")
      }
      let answer = try await execute(request)
      guard answer.status == 401 else { return answer }
      guard attempt == 0, let challenge = answer.challenge.flatMap({ RegistryChallenge($0) }) else {
        throw refusedLogin(answer)
      }
      let authorization = try await authorize(challenge, repository, answer)
      state.withLock { $0.authorizations[repository] = authorization }
    }
    preconditionFailure("the second attempt returns or throws")
  }

  /// The first message of an answer's body.
  static func message(_ answer: Answer) -> String {
    struct Body: Decodable {
      struct Problem: Decodable {
        var code: String?
        var message: String?
      }
      var errors: [Problem]
    }
    // What is no such JSON is told as it is.
    if let problem = (try? JSON.decode(Body.self, from: answer.body))?.errors.first {
      return [problem.code, problem.message].compactMap(\.self).joined(separator: ": ")
    }
    let text = String(decoding: answer.body.prefix(200), as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).first.map(String.init)
      ?? "status \(answer.status)"
  }

  private func execute(_ request: HTTPClientRequest) async throws -> Answer {
    do {
      let deadline: NIODeadline = request.body == nil ? .now() + .seconds(120) : .distantFuture
      let response = try await client.execute(request, deadline: deadline)
      var answer = Answer(status: Int(response.status.code))
      answer.location = response.headers.first(name: "Location")
      answer.digest = response.headers.first(name: "Docker-Content-Digest")
        .flatMap { Digest($0) }
      answer.challenge = response.headers["WWW-Authenticate"]
        .first { RegistryChallenge($0) != nil }
      if request.method != .HEAD {
        answer.body = Array(try await response.body.collect(upTo: 1 << 20).readableBytesView)
      }
      return answer
    } catch let error as ImageArchiveError {
      throw error
    } catch {
      if error is CancellationError || Task.isCancelled { throw CancellationError() }
      throw unreachable(error)
    }
  }
}

extension RegistryClient {
  private func absolute(_ path: String) async throws -> String {
    if path.hasPrefix("http://") || path.hasPrefix("https://") { return path }
    let base = try await base()
    return path.hasPrefix("/") ? base + path : "\(base)/v2/\(path)"
  }

  private func isOurs(_ url: String) -> Bool {
    guard let base = state.withLock({ $0.base }) else { return false }
    return url.hasPrefix("\(base)/")
  }

  /// `https://HOST`; on this machine `http://HOST`, where that is what answers there.
  private func base() async throws -> String {
    if let base = state.withLock({ $0.base }) { return base }
    var base = "https://\(address.host)"
    if address.isLocal {
      do {
        let answer = try await execute(HTTPClientRequest(url: "http://\(address.host)/v2/"))
        // A server that wants TLS answers 400, or not at all.
        if answer.status == 200 || answer.status == 401 { base = "http://\(address.host)" }
      } catch let error as RuntimeError {
        if error.message.contains("onnection refused") { throw error }
      }
    }
    state.withLock { $0.base = base }
    return base
  }

  /// The `Authorization` header that answers a challenge.
  private func authorize(
    _ challenge: RegistryChallenge, _ repository: String, _ answer: Answer
  ) async throws -> String {
    let login = try await credentials.login(for: address.host)
    switch challenge {
    case .basic:
      guard let login, login.identityToken == nil else { throw refusedLogin(answer) }
      return login.basic
    case .bearer(let realm, let service):
      var fields = [("scope", "repository:\(repository):pull,push")]
      if let service { fields.append(("service", service)) }
      var request: HTTPClientRequest
      if let token = login?.identityToken {
        fields += [
          ("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "watchbuild"),
        ]
        request = HTTPClientRequest(url: realm)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: Self.form(fields)))
      } else {
        let separator = realm.contains("?") ? "&" : "?"
        request = HTTPClientRequest(url: "\(realm)\(separator)\(Self.form(fields))")
        if let login { request.headers.add(name: "Authorization", value: login.basic) }
      }
      let granted = try await execute(request)
      struct Grant: Decodable {
        enum CodingKeys: String, CodingKey { case token, accessToken = "access_token" }
        var token: String?
        var accessToken: String?
      }
      // Without a token the registry's refusal is told.
      let grant = try? JSON.decode(Grant.self, from: granted.body)
      guard granted.status == 200, let token = grant?.token ?? grant?.accessToken else {
        throw refusedLogin(granted)
      }
      return "Bearer \(token)"
    }
  }

  private static func form(_ fields: [(String, String)]) -> String {
    let kept = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~".utf8)
    return fields.map { name, value in
      let escaped = value.utf8.map { byte -> String in
        if kept.contains(byte) { return String(UnicodeScalar(byte)) }
        let digits = String(byte, radix: 16, uppercase: true)
        return byte < 16 ? "%0\(digits)" : "%\(digits)"
      }
      return "\(name)=\(escaped.joined())"
    }.joined(separator: "&")
  }

  private func refusedLogin(_ answer: Answer) -> RuntimeError {
    RuntimeError(
      runtime: "registry:\(address)", kind: .refused,
      message: "registry \(address.host) does not let us in: \(Self.message(answer))",
      hint: "log in: docker login \(address.host)")
  }

  private func unreachable(_ error: any Error) -> RuntimeError {
    let reason: String
    switch error {
    case let error as IOError: reason = "\(Errno(rawValue: error.errnoCode))".lowercased()
    case let error as HTTPClientError: reason = error.shortDescription
    default: reason = "\(error)"
    }
    let isCertificate = reason.contains("CERTIFICATE") || reason.contains("certificate")
    return RuntimeError(
      runtime: "registry:\(address)", kind: .unreachable,
      message: "registry \(address.host) does not answer: \(reason.prefix(300))",
      hint: isCertificate
        ? "put its CA's certificate into /etc/docker/certs.d/\(address.host)/ca.crt"
        : "is it running?")
  }

  private static func certificateFiles(_ directories: [FilePath]) -> [FilePath] {
    directories.flatMap { directory in
      var names: [String] = []
      DirectoryEntries.forEach(in: directory) { name, _ in names.append(String(cString: name)) }
      return names.filter { $0.hasSuffix(".crt") }.sorted().map { directory.appending($0) }
    }
  }
}
