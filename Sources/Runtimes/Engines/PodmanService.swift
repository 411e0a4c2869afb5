import Basics
import Glibc
package import Processes
import Synchronization
package import SystemPackage

/// `podman system service` on a socket of our own, for as long as we run.
///
/// Podman has no daemon: where nobody set up its socket, this serves the API while it is needed. The
/// service ends after ten idle minutes by itself, so a watchbuild that was killed leaves none behind
/// for long; the next load starts it again.
package actor PodmanService {
  package nonisolated let endpoint: EngineEndpoint
  private let directory: SocketDirectory
  private let socket: FilePath
  private let command: Command
  private let runner: any CommandRunner
  private let clock: any Clock<Duration>
  private var running: Running?

  private static let idleSeconds = 600
  private static let patience = Duration.seconds(30)

  /// - Parameters:
  ///   - parent: Where the directory of the socket is made.
  ///   - environment: Added to our own, such as `CONTAINERS_STORAGE_CONF`.
  package init(
    in parent: FilePath, environment: [String: String] = [:], runner: any CommandRunner,
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    directory = SocketDirectory(for: "podman", in: parent)
    socket = directory.path.appending("podman.sock")
    endpoint = .unix(socket)
    command = Command(
      "podman", ["system", "service", "--time", "\(Self.idleSeconds)", "unix://\(socket)"],
      environment: environment)
    self.runner = runner
    self.clock = clock
  }

  /// Makes sure that the service answers.
  ///
  /// - Throws: `RuntimeError` with podman's own words when it can't be started; `CancellationError`.
  package func start(for client: EngineClient) async throws {
    if await answers(client) { return }
    // While this one waited, another load may have started it.
    let service = try running.flatMap { $0.ending == nil ? $0 : nil } ?? launch()
    running = service
    var waited = Duration.zero
    while !(await answers(client)) {
      if let ending = service.ending { throw failure(ending) }
      guard waited < Self.patience else { throw failure("no answer in time") }
      // A poll: podman says nowhere when it listens.
      try await clock.pause(for: .milliseconds(20))
      waited += .milliseconds(20)
    }
  }

  /// Ends the service, waits for it, and removes its socket. To be called when no load is under way.
  package func stop() async {
    await running?.end()
    running = nil
    directory.remove(socket)
  }

  private func launch() throws -> Running {
    do {
      try directory.make()
    } catch let error as Errno {
      throw failure("\(directory.path): \(error)")
    } catch {
      throw failure("\(error)")
    }
    // What a service that was killed has left.
    _ = unlink(socket.string)
    return Running(command, runner: runner)
  }

  private func answers(_ client: EngineClient) async -> Bool {
    do {
      try await client.ping()
      return true
    } catch {
      return false
    }
  }

  private func failure(_ reason: String) -> RuntimeError {
    RuntimeError(
      runtime: "podman", kind: .unreachable,
      message: "podman's API can't be had: \(reason)",
      hint: "does 'podman info' work? Or choose --load oci:DIR")
  }
}

/// A podman that was started.
private final class Running: Sendable {
  private let task: Task<Void, Never>
  private let state: State

  private final class State: Sendable {
    let ending = Mutex<String?>(nil)
    let words = Mutex<[UInt8]>([])
  }

  init(_ command: Command, runner: any CommandRunner) {
    let state = State()
    self.state = state
    // Outlives the load that needs it first; `end()` cancels it.
    task = Task {
      do {
        let exit = try await runner.run(command) { output in
          if case .standardError(let bytes) = output {
            state.words.withLock { $0 = Array(($0 + bytes).suffix(2000)) }
          }
        }
        let words = state.words.withLock { String(decoding: $0, as: UTF8.self) }
        let line = words.split(whereSeparator: \.isNewline).last.map(String.init)
        state.ending.withLock { $0 = line ?? "it ended with \(exit)" }
      } catch {
        state.ending.withLock { $0 = "\(error)" }
      }
    }
  }

  /// The way in which it ended; `nil`: it runs.
  var ending: String? { state.ending.withLock { $0 } }

  func end() async {
    task.cancel()
    await task.value
  }
}
