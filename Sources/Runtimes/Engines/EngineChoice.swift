import SystemPackage

/// The Docker engine that is meant, and the reason: decided as docker's own client decides.
///
/// `DOCKER_HOST` comes first, then the context that `DOCKER_CONTEXT` or docker's configuration names.
/// Source: https://docs.docker.com/engine/manage-resources/contexts/ and
/// https://docs.docker.com/reference/cli/docker/#environment-variables
package struct EngineChoice: Hashable, Sendable, CustomStringConvertible {
  package let endpoint: EngineEndpoint
  /// For people, such as `DOCKER_HOST`; `nil` where nothing names an engine.
  package let reason: String?
  /// The docker context that names it.
  package let context: String?

  /// The address, with the context where one names it.
  package var place: String { "\(endpoint)" + (context.map { " (docker context '\($0)')" } ?? "") }

  /// The whole decision, such as `tcp://build:2376 with TLS, by DOCKER_HOST`.
  package var description: String {
    let security =
      if case .tls(_, _, let tls) = endpoint {
        tls.verifies ? " with TLS" : " with TLS, its certificate not verified"
      } else {
        ""
      }
    return "\(endpoint)\(security)" + (reason.map { ", by \($0)" } ?? "")
  }

  /// - Throws: `RuntimeError` for an address that we can't speak to, a context that is not there, and
  ///   files that can't be read.
  package init(environment: [String: String]) throws(RuntimeError) {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let files = DockerFiles(environment: environment)
    let secured = ["DOCKER_TLS_VERIFY", "DOCKER_TLS"].first { value($0) != nil }

    func endpoint(_ host: String, _ origin: String) throws(RuntimeError) -> EngineEndpoint {
      guard let plain = EngineEndpoint(host) else { throw Self.unsupported(host, origin) }
      guard case .tcp = plain, let secured else { return plain }
      let path = value("DOCKER_CERT_PATH").map { FilePath($0) } ?? files.directory
      guard let path else {
        throw RuntimeError(
          runtime: "docker", kind: .unreachable,
          message: "\(secured) is set, but nothing says where the certificates are",
          hint: "set DOCKER_CERT_PATH to the directory of ca.pem, cert.pem and key.pem")
      }
      let tls = try EngineTLS(
        in: path, verifies: secured == "DOCKER_TLS_VERIFY", askedBy: "\(secured) is set")
      return EngineEndpoint(host, tls: tls) ?? plain
    }

    if let host = value("DOCKER_HOST") {
      self.init(try endpoint(host, "DOCKER_HOST=\(host)"), "DOCKER_HOST", context: nil)
      return
    }
    let named = value("DOCKER_CONTEXT")
    let name = if let named { named } else { try files.currentContext() }
    if let name, name != "default" {
      let origin = named == nil ? "\(files.configurationText)" : "DOCKER_CONTEXT"
      let context = try files.context(name, namedBy: origin)
      self.init(
        try Self.endpoint(of: context), "the docker context '\(name)' (\(origin))", context: name)
    } else if let secured {
      // Where docker's own client then looks.
      self.init(try endpoint("tcp://localhost", secured), secured, context: nil)
    } else {
      self.init(.standard, nil, context: nil)
    }
  }

  private init(_ endpoint: EngineEndpoint, _ reason: String?, context: String?) {
    self.endpoint = endpoint
    self.reason = reason
    self.context = context
  }

  private static func endpoint(of context: DockerContext) throws(RuntimeError) -> EngineEndpoint {
    guard let plain = EngineEndpoint(context.host) else {
      throw unsupported(
        context.host, "the docker context '\(context.name)' is at \(context.host), which")
    }
    guard case .tcp = plain, let tls = try context.tls() else { return plain }
    return EngineEndpoint(context.host, tls: tls) ?? plain
  }

  private static func unsupported(_ host: String, _ origin: String) -> RuntimeError {
    RuntimeError(
      runtime: "docker", kind: .unreachable, message: "\(origin) is not supported",
      hint: "give unix:///PATH, tcp://HOST:PORT or ssh://[USER@]HOST[:PORT], or choose "
        + "--load oci:DIR")
  }
}
