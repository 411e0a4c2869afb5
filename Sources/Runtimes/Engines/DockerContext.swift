import Basics
import Images
import SystemPackage

/// The description of one engine that `docker context create` has left.
struct DockerContext: Hashable {
  var name: String
  /// As `DOCKER_HOST` takes it.
  var host: String
  var skipsVerification: Bool
  /// The directory of `ca.pem`, `cert.pem` and `key.pem`, which need not be there.
  var certificates: FilePath

  /// - Returns: `nil` for a context without TLS.
  func tls() throws(RuntimeError) -> EngineTLS? {
    try EngineTLS(
      ofContext: certificates, verifies: !skipsVerification,
      askedBy: "the docker context '\(name)' has TLS")
  }
}

/// The directory of docker's own client, as far as it tells which engine is meant.
///
/// Source: https://github.com/docker/cli/blob/v28.2.2/cli/context/store/doc.go
struct DockerFiles {
  /// `nil` where neither `DOCKER_CONFIG` nor `HOME` is set.
  let directory: FilePath?

  init(environment: [String: String]) {
    func path(_ name: String) -> FilePath? {
      environment[name].flatMap { $0.isEmpty ? nil : FilePath($0) }
    }
    directory = path("DOCKER_CONFIG") ?? path("HOME")?.appending(".docker")
  }

  /// Where the current context stands, for messages.
  var configurationText: String { configuration.map(\.string) ?? "docker's configuration" }

  private var configuration: FilePath? { directory?.appending("config.json") }

  /// - Returns: `nil` where the configuration names none, or is not there.
  func currentContext() throws(RuntimeError) -> String? {
    struct Configuration: Decodable { var currentContext: String? }
    guard let configuration, let bytes = try Self.read(configuration),
      // Docker takes an empty file for none.
      bytes.contains(where: { $0 > 0x20 })
    else { return nil }
    do throws(JSON.Malformed) {
      let name = try JSON.decode(Configuration.self, from: bytes).currentContext
      return name.flatMap { $0.isEmpty ? nil : $0 }
    } catch {
      throw RuntimeError(
        runtime: "docker", kind: .unreachable,
        message: "\(configuration) does not tell the docker context: \(error)",
        hint: "mend the file, or set DOCKER_HOST or DOCKER_CONTEXT")
    }
  }

  /// - Parameter origin: What names it, such as `DOCKER_CONTEXT`.
  func context(_ name: String, namedBy origin: String) throws(RuntimeError) -> DockerContext {
    struct Meta: Decodable {
      struct Endpoint: Decodable {
        enum CodingKeys: String, CodingKey { case host = "Host", skips = "SkipTLSVerify" }
        var host: String?
        var skips: Bool?
      }
      enum CodingKeys: String, CodingKey { case endpoints = "Endpoints" }
      var endpoints: [String: Endpoint]
    }
    let number = String(Digest(of: name.utf8).hexadecimal)
    let contexts = directory?.appending("contexts")
    let meta = contexts?.appending("meta").appending(number).appending("meta.json")
    guard let contexts, let meta, let bytes = try Self.read(meta) else {
      throw RuntimeError(
        runtime: "docker", kind: .unreachable,
        message: "there is no docker context '\(name)', which \(origin) names"
          + (meta.map { ": \($0) is missing" } ?? ""),
        hint: "'docker context ls' lists those that are there; "
          + (origin == "DOCKER_CONTEXT"
            ? "set DOCKER_CONTEXT to one of them" : "choose one: docker context use NAME"))
    }
    let problem: String
    do throws(JSON.Malformed) {
      let endpoint = try JSON.decode(Meta.self, from: bytes).endpoints["docker"]
      if let endpoint, let host = endpoint.host, !host.isEmpty {
        return DockerContext(
          name: name, host: host, skipsVerification: endpoint.skips ?? false,
          certificates: contexts.appending("tls").appending(number).appending("docker"))
      }
      problem = "it names no docker endpoint"
    } catch {
      problem = error.description
    }
    throw RuntimeError(
      runtime: "docker", kind: .unreachable,
      message: "the docker context '\(name)' can't be read from \(meta): \(problem)",
      hint: "make it anew (docker context rm -f \(name); docker context create \(name) "
        + "--docker host=ADDRESS), or set DOCKER_HOST")
  }

  /// A file of docker's, which is small.
  ///
  /// - Returns: `nil` when it is not there.
  static func read(_ path: FilePath) throws(RuntimeError) -> [UInt8]? {
    do throws(Errno) {
      guard case .file(let file) = try ArchiveFile.open(path) else { throw .invalidArgument }
      guard file.size <= 8 << 20 else { throw .fileTooLarge }
      return try file.bytes(at: 0, count: Int(file.size))
    } catch {
      if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
      throw RuntimeError(
        runtime: "docker", kind: .unreachable, message: "\(path) can't be read: \(error)",
        hint: "look at its permissions (ls -l \(path))")
    }
  }
}
