import Basics
import FoundationEssentials
import Images
import Processes
import SystemPackage

/// The user's name and password for a registry, as `docker login` and `podman login` leave them.
///
/// Source: https://docs.docker.com/reference/cli/docker/login/#credential-stores and
/// https://github.com/docker/docker-credential-helpers#development
struct RegistryCredentials: Sendable {
  /// Its description holds no secret.
  struct Login: Hashable, Sendable, CustomStringConvertible {
    var name: String
    var password: String
    /// In place of a password, to be exchanged for a token.
    var identityToken: String?
    /// The file or the helper that it is from.
    var source: String

    /// The value of an `Authorization` header.
    var basic: String {
      "Basic \(Data("\(name):\(password)".utf8).base64EncodedString())"
    }

    var description: String {
      identityToken == nil ? "login '\(name)' from \(source)" : "identity token from \(source)"
    }
  }

  /// Why nobody can tell whether there is a login.
  struct Problem: Error, Hashable {
    var message: String
    var hint: String
  }

  /// Read in their order.
  var files: [FilePath]
  var runner: any CommandRunner
  /// The time that a helper may take: it may ask the user for a passphrase.
  var patience: Duration = .seconds(60)
  var clock: any Clock<Duration> = ContinuousClock()

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
  /// - Throws: `Problem` when none is found and a file or helper does not work; `CancellationError`.
  func login(for host: String) async throws -> Login? {
    var problem: Problem?
    for path in files {
      do {
        if let login = try await login(for: host, in: path) { return login }
      } catch let error as Problem {
        // Another file may have one that works.
        problem = problem ?? error
      }
    }
    if let problem { throw problem }
    return nil
  }

  private func login(for host: String, in path: FilePath) async throws -> Login? {
    guard let file = try Self.read(path) else { return nil }
    if let name = file.credHelpers?[host] ?? file.credsStore, !name.isEmpty,
      let login = try await ask(CredentialHelper(name: name, file: path), for: host)
    {
      return login
    }
    let keys = Self.keys(of: host)
    guard let entry = keys.lazy.compactMap({ file.auths?[$0] }).first else { return nil }
    return try Self.login(entry, for: host, in: path)
  }

  /// Under which a login is kept; docker's own registry is called by an old name of it.
  private static func keys(of host: String) -> [String] {
    let names = host == RegistryAddress.hub ? [host, "index.docker.io", "docker.io"] : [host]
    return names.flatMap { [$0, "https://\($0)", "https://\($0)/v1/", "https://\($0)/v2/"] }
  }

  private func ask(_ helper: CredentialHelper, for host: String) async throws -> Login? {
    guard let (name, secret) = try await helper.ask(host, with: runner, patience, clock) else {
      return nil
    }
    // So helpers mark an identity token.
    let isToken = name == "<token>"
    return Login(
      name: isToken ? "" : name, password: isToken ? "" : secret,
      identityToken: isToken ? secret : nil, source: helper.description)
  }

  /// - Returns: `nil` when there is no such file, or nothing in it.
  private static func read(_ path: FilePath) throws(Problem) -> File? {
    let bytes: [UInt8]
    do throws(Errno) {
      guard case .file(let file) = try ArchiveFile.open(path), file.size < 1 << 20 else {
        throw Errno.fileTooLarge
      }
      bytes = try file.bytes(at: 0, count: Int(file.size))
    } catch .noSuchFileOrDirectory, .notDirectory {
      return nil
    } catch {
      throw Problem(
        message: "the logins in \(path) can't be read: \("\(error)".lowercased())",
        hint: "make it readable or remove it")
    }
    if bytes.isEmpty { return nil }
    do throws(JSON.Malformed) {
      return try JSON.decode(File.self, from: bytes)
    } catch {
      // What is wrong with it is not told: it might be told with a secret.
      throw Problem(message: "\(path) is not the JSON of logins", hint: "mend or remove it")
    }
  }

  private static func login(
    _ entry: File.Entry, for host: String, in path: FilePath
  ) throws -> Login? {
    var login = Login(
      name: entry.username ?? "", password: entry.password ?? "",
      identityToken: entry.identitytoken.flatMap { $0.isEmpty ? nil : $0 }, source: "\(path)")
    if let auth = entry.auth, !auth.isEmpty {
      let text = Data(base64Encoded: auth).map { String(decoding: $0, as: UTF8.self) }
      let parts = text?.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false) ?? []
      guard parts.count == 2 else {
        throw Problem(
          message: "the login for \(host) in \(path) is not base64 of NAME:PASSWORD",
          hint: "log in again: docker login \(host)")
      }
      login.name = String(parts[0])
      // Old versions of docker padded it.
      login.password = String(parts[1].prefix { $0 != "\0" })
    }
    return login.name.isEmpty && login.identityToken == nil ? nil : login
  }
}
