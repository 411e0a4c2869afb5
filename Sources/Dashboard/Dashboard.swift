package import Basics
import Events
import Session
package import Settings
import Synchronization

/// A page in the browser that shows a run of `dev`, served to this machine alone.
package final class Dashboard: Sendable {
  private let sources: DashboardSources
  private let address: DashboardAddress
  private let memory: PrivateDirectory?
  private let board: Board
  private let running = Mutex<(server: LocalServer, following: Task<Void, Never>)?>(nil)

  /// - Parameters:
  ///   - sources: What it shows.
  ///   - address: Where it listens.
  ///   - memory: Where port and token of the run before are kept, so that a page left open finds the next run;
  ///     `nil`: nowhere.
  package init(
    _ sources: DashboardSources, at address: DashboardAddress, memory: PrivateDirectory?
  ) {
    self.sources = sources
    self.address = address
    self.memory = memory
    board = Board(sources)
  }

  /// Serves from now on, until `stop()`.
  ///
  /// - Returns: The address to be opened, with its token.
  /// - Throws: `Problem` where the port is taken.
  package func start() async throws -> String {
    let remembered = memory.flatMap(RememberedPlace.read)
    let token = remembered.flatMap { DashboardToken($0.token) } ?? DashboardToken()
    var ports = [address.port ?? remembered?.port ?? 0]
    // The port of last time may be somebody else's now; then any will do.
    if address.port == nil, ports != [0] { ports.append(0) }
    var failure: (any Error)?
    for port in ports {
      do {
        return try await start(port, token)
      } catch {
        failure = error
      }
    }
    throw Problem(
      "the dashboard can't listen at \(address.text): \(failure.map { "\($0)" } ?? "")",
      hint: "choose another port, or leave it out to have a free one")
  }

  private func start(_ wanted: Int, _ token: DashboardToken) async throws -> String {
    let doorway = Doorway()
    let server = LocalServer(.loopback(host: address.host, port: wanted), doorway)
    guard let port = try await server.start() else { throw CancellationError() }
    let gate = Gate(token: token, host: address.host, port: port)
    doorway.open(DashboardService(sources: sources, board: board, gate: gate))
    // No child of a task that may be cancelled: pages are told of the run's end. `stop()` cancels it.
    let following = Task { await board.run() }
    running.withLock { $0 = (server, following) }
    memory.map { RememberedPlace(port: port, token: token.text).write(to: $0) }
    return "\(gate.origin)/?token=\(token.text)"
  }

  /// Takes no more requests, and ends the streams of open pages.
  package func stop() async {
    guard let (server, following) = running.withLock({ $0 }) else { return }
    board.close()
    await server.stop()
    following.cancel()
    await following.value
  }
}

/// Stands before the service until the port is known, which decides who is answered.
private final class Doorway: LocalService {
  private let service = Mutex<DashboardService?>(nil)

  func open(_ service: DashboardService) { self.service.withLock { $0 = service } }

  func respond(to request: LocalRequest) async -> LocalAnswer {
    guard let service = service.withLock({ $0 }) else {
      return refusal(503, "busy", "try again")
    }
    return await service.respond(to: request)
  }

  func refusal(_ status: Int, _ code: String, _ message: String) -> LocalAnswer {
    LocalAnswer(status, type: "text/plain", Array(message.utf8))
  }
}
