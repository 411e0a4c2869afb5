import AsyncHTTPClient
import Basics
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Answers a registry's challenge by the user's login, or by a token that it buys.
struct RegistryAuthorization: Sendable {
  typealias Answer = RegistryClient.Answer

  var address: RegistryAddress
  var credentials: RegistryCredentials

  private struct Grant: Decodable {
    enum CodingKeys: String, CodingKey { case token, accessToken = "access_token" }
    var token: String?
    var accessToken: String?
  }

  /// - Parameters:
  ///   - base: Where the registry is.
  ///   - answer: The one that held the challenge.
  ///   - ask: Sends a request to whoever gives tokens.
  /// - Returns: An `Authorization` header.
  /// - Throws: `RuntimeError` that says which login was tried; `CancellationError`.
  func header(
    for challenge: RegistryChallenge, _ access: RegistryAccess, from base: WebOrigin,
    _ answer: Answer, asking ask: (HTTPClientRequest) async throws -> Answer
  ) async throws -> String {
    let login = try await login()
    switch challenge {
    case .basic:
      guard let login else { throw refusal(answer, login) }
      guard login.identityToken == nil else {
        throw failure(
          "registry \(address.host) wants a name and a password, and there is only the \(login)",
          "log in with a password: docker login \(address.host)")
      }
      return login.basic
    case .bearer(let realm, let service, _):
      // The registry says where tokens are; that our login goes there unread is for us to see to.
      guard let origin = WebOrigin(realm),
        origin.isSecure || !base.isSecure && origin.isLoopback
      else {
        throw failure(
          "registry \(address.host) wants a token, but names no https address that gives one", nil)
      }
      let granted = try await ask(request(realm, service, access, login))
      // A grant that can't be read is one without a token.
      let grant = granted.status == 200 ? try? JSON.decode(Grant.self, from: granted.body) : nil
      let token = [grant?.token, grant?.accessToken].compactMap(\.self).first { !$0.isEmpty }
      guard let token, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
        throw granted.status == 200
          ? failure("\(origin), which gives tokens for \(address.host), gives none", nil)
          : refusal(granted, login)
      }
      return "Bearer \(token)"
    }
  }

  /// Says why the registry did not accept our answer to its challenge.
  func refusal(_ answer: Answer, _ access: RegistryAccess) async throws -> RuntimeError {
    guard let repository = access.repository, case .bearer? = answer.challenge else {
      return refusal(answer, try await login())
    }
    let words = RegistryClient.message(answer)
    if let login = try await login() {
      return failure(
        "registry \(address.host): the \(login) may not push to \(repository): \(words)",
        "ask for the right to, or log in as another: docker login \(address.host)")
    }
    return failure(
      "registry \(address.host) lets nobody push to \(repository) without a login: \(words)",
      "log in: docker login \(address.host)")
  }

  private func refusal(_ answer: Answer, _ login: RegistryCredentials.Login?) -> RuntimeError {
    let words = RegistryClient.message(answer)
    if let login {
      return failure(
        "registry \(address.host) does not accept the \(login): \(words)",
        "log in again: docker login \(address.host)")
    }
    return failure(
      "registry \(address.host) does not let us in: \(words)",
      "log in: docker login \(address.host)")
  }

  private func login() async throws -> RegistryCredentials.Login? {
    do {
      return try await credentials.login(for: address.host)
    } catch let problem as RegistryCredentials.Problem {
      throw failure(
        "registry \(address.host) wants a login, but \(problem.message)", problem.hint)
    }
  }

  /// Source: https://distribution.github.io/distribution/spec/auth/oauth/ and …/auth/token/
  private func request(
    _ realm: String, _ service: String?, _ access: RegistryAccess,
    _ login: RegistryCredentials.Login?
  ) -> HTTPClientRequest {
    let service = service.map { [("service", $0)] } ?? []
    if let token = login?.identityToken {
      let scope = access.scopes.isEmpty ? [] : [("scope", access.scopes.joined(separator: " "))]
      var request = HTTPClientRequest(url: realm)
      request.method = .POST
      request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
      let fields =
        [
          ("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "watchbuild"),
        ] + service + scope
      request.body = .bytes(ByteBuffer(string: Self.form(fields)))
      return request
    }
    let fields = Self.form(service + access.scopes.map { ("scope", $0) })
    let separator = realm.contains("?") ? "&" : "?"
    var request = HTTPClientRequest(url: fields.isEmpty ? realm : "\(realm)\(separator)\(fields)")
    if let login { request.headers.add(name: "Authorization", value: login.basic) }
    return request
  }

  private static func form(_ fields: [(String, String)]) -> String {
    fields.map { name, value in "\(name)=\(value.percentEncoded)" }.joined(separator: "&")
  }

  private func failure(_ message: String, _ hint: String?) -> RuntimeError {
    RuntimeError(runtime: "registry:\(address)", kind: .refused, message: message, hint: hint)
  }
}
