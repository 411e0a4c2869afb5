/// Serves the control socket.
package final class ControlServer: Sendable {
  package typealias Limits = LocalServer.Limits

  private let socket: ControlSocket
  private let server: LocalServer

  package init(
    _ socket: ControlSocket, _ api: ControlAPI, limits: Limits = Limits(),
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.socket = socket
    server = LocalServer(
      .unix(descriptor: socket.descriptor), api, limits: limits, clock: clock)
  }

  /// Serves from now on.
  package func start() async throws { try await server.start() }

  /// Takes no more connections, lets those that wait for an answer take it, and removes the socket.
  package func stop() async {
    socket.remove()
    await server.stop()
  }
}

extension ControlAPI: LocalService {
  package func respond(to request: LocalRequest) async -> LocalAnswer {
    await response(to: request).answer
  }

  package func refusal(_ status: Int, _ code: String, _ message: String) -> LocalAnswer {
    ControlResponse.error(status, code, message).answer
  }
}
