import FoundationEssentials
import SystemPackage

/// The user's name and password for a registry, as `docker login` and `podman login` leave them.
///
/// Source: https://docs.docker.com/reference/cli/docker/login/#credential-stores and
/// https://github.com/docker/docker-credential-helpers#development
struct RegistryCredentials: Sendable {
  struct Login: Hashable, Sendable {
    var name: String
    var password: String
    /// In place of a password, to be exchanged for a token.
    var identityToken: String?

    /// The value of an `Authorization` header.
    var basic: String {
      "Basic \(Data("\(name):\(password)".utf8).base64EncodedString())"
    }
  }

  /// Read in their order.
  var files: [FilePath]
  var runner: any CommandRunner

  private struct File: Decodable {
    struct Entry: Decodable {
      var auth: String?
      var username: String?
      var password: String?
      var identitytoken: String?
    }
    var auths: [String: Entry]?
    var credHelpers: [String: String]?
    var credsStore: String?
  }

  private struct HelperAnswer: Decodable {
    enum CodingKeys: String, CodingKey { case name = "Username", secret = "Secret" }
    var name: String
    var secret: String
  }

  /// - Parameter environment: For `DOCKER_CONFIG`, `REGISTRY_AUTH_FILE`, `XDG_RUNTIME_DIR` and `HOME`.
  static func files(_ environment: [String: String]) -> [FilePath] {
    func path(_ name: String, _ rest: String = "") -> FilePath? {
      environment[name].flatMap { $0.isEmpty ? nil : FilePath($0).pushing(FilePath(rest)) }
    }
    return [
      path("DOCKER_CONFIG", "config.json") ?? path("HOME", ".docker/config.json"),
      path("REGISTRY_AUTH_FILE") ?? path("XDG_RUNTIME_DIR", "containers/auth.json"),
    ].compactMap(\.self)
  }

  /// - Returns: `nil` when no file and no helper knows the registry.
  /// - Throws: `CancellationError`. A file or helper that does not work is as good as none: the
  ///   registry then says that a login is needed.
  func login(for host: String) async throws -> Login? {
    for path in files {
      guard let file = Self.read(path) else { continue }
      if let helper = file.credHelpers?[host] ?? file.credsStore, !helper.isEmpty,
        let login = try await ask(helper, for: host)
      {
        return login
      }
      let keys = [host, "https://\(host)", "https://\(host)/v1/", "https://\(host)/v2/"]
      if let entry = keys.lazy.compactMap({ file.auths?[$0] }).first,
        let login = Self.login(entry)
      {
        return login
      }
    }
    return nil
  }

  private static func read(_ path: FilePath) -> File? {
    guard case .file(let file)? = try? ArchiveFile.open(path), file.size < 1 << 20,
      let bytes = try? file.bytes(at: 0, count: Int(file.size))
    else { return nil }
    return try? JSON.decode(File.self, from: bytes)
  }

  private static func login(_ entry: File.Entry) -> Login? {
    var login = Login(
      name: entry.username ?? "", password: entry.password ?? "",
      identityToken: entry.identitytoken)
    if let auth = entry.auth, let bytes = Data(base64Encoded: auth) {
      let text = String(decoding: bytes, as: UTF8.self)
      let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 {
        login.name = String(parts[0])
        // Old versions of docker padded it.
        login.password = String(parts[1].prefix { $0 != "\0" })
      }
    }
    return login.name.isEmpty && login.identityToken == nil ? nil : login
  }

  private func ask(_ helper: String, for host: String) async throws -> Login? {
    var input = ImageStream()
    input.appendBytes(Array("\(host)\n".utf8))
    do {
      let (exit, output, _) = try await CommandAnswer.of(
        Command("docker-credential-\(helper)", ["get"]), input: input, with: runner)
      guard exit == .exited(0) else { return nil }
      let answer = try JSON.decode(HelperAnswer.self, from: Array(output.utf8))
      // So helpers mark an identity token.
      return answer.name == "<token>"
        ? Login(name: "", password: "", identityToken: answer.secret)
        : Login(name: answer.name, password: answer.secret)
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      return nil
    }
  }
}

/// What a registry asks for when it answers 401.
///
/// Source: https://distribution.github.io/distribution/spec/auth/token/
enum RegistryChallenge: Hashable {
  case basic
  case bearer(realm: String, service: String?)

  /// - Returns: `nil` for a scheme that is neither.
  init?(_ header: String) {
    let parts = header.split(separator: " ", maxSplits: 1)
    guard let scheme = parts.first?.lowercased() else { return nil }
    if scheme == "basic" {
      self = .basic
      return
    }
    guard scheme == "bearer", parts.count == 2 else { return nil }
    let fields = Self.fields(parts[1])
    guard let realm = fields["realm"] else { return nil }
    self = .bearer(realm: realm, service: fields["service"])
  }

  /// `a="b",c="d, e"`
  private static func fields(_ text: Substring) -> [String: String] {
    var fields: [String: String] = [:]
    var rest = text
    while let equals = rest.firstIndex(of: "=") {
      let key = rest[..<equals].filter { $0 != " " && $0 != "," }.lowercased()
      rest = rest[equals...].dropFirst()
      let value: Substring
      if rest.first == "\"" {
        rest = rest.dropFirst()
        value = rest.prefix { $0 != "\"" }
        rest = rest.dropFirst(value.count + 1)
      } else {
        value = rest.prefix { $0 != "," }
        rest = rest.dropFirst(value.count)
      }
      fields[key] = String(value)
    }
    return fields
  }
}
