package import Processes
import SystemPackage

/// The Docker engine that is meant, and the way to it.
package struct EngineConnection: Sendable {
  package let choice: EngineChoice
  /// Not to be shut down by itself: `close()` does it.
  package let client: EngineClient
  private let tunnel: EngineTunnel?

  /// Decides which engine it is, and makes ready to speak to it; it need not answer.
  ///
  /// - Parameters:
  ///   - environment: For `DOCKER_HOST`, `DOCKER_CONTEXT`, `DOCKER_CONFIG`, `DOCKER_TLS_VERIFY`,
  ///     `DOCKER_CERT_PATH`, `HOME` and `XDG_RUNTIME_DIR`.
  ///   - runner: Runs docker's own client where the way leads through ssh.
  /// - Returns: To be closed by the caller.
  /// - Throws: `RuntimeError` when the address, the context or the certificates are no good.
  package static func open(
    environment: [String: String], runner: any CommandRunner
  ) async throws -> EngineConnection {
    let choice = try EngineChoice(environment: environment)
    guard case .ssh(let address) = choice.endpoint else {
      return EngineConnection(
        choice: choice, client: EngineClient(choice.endpoint, place: choice.place), tunnel: nil)
    }
    let tunnel = EngineTunnel(
      EngineTunnel.command(to: address, environment: environment),
      in: SocketDirectory.parent(environment: environment), runner: runner)
    try await tunnel.start()
    return EngineConnection(
      choice: choice, client: EngineClient(choice.endpoint, place: choice.place, tunnel: tunnel),
      tunnel: tunnel)
  }

  /// To be called once, when no load is under way.
  package func close() async {
    await client.shutdown()
    await tunnel?.stop()
  }
}
