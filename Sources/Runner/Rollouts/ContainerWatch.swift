import Basics
import Graph
import Runtimes

/// Looks at containers until they are live, or it is clear that they never will be.
struct ContainerWatch: Sendable {
  private static let interval = Duration.milliseconds(100)

  let engine: EngineClient
  let rule: RolloutRule
  let clock: any Clock<Duration>

  /// - Parameters:
  ///   - name: The container's name or ID.
  ///   - isCancelled: Asked while it waits.
  /// - Throws: `RolloutError` with its last words; `CancellationError`.
  func watch(_ name: String, _ isCancelled: @Sendable () -> Bool) async throws {
    var signs = LifeSigns(timeout: rule.timeout)
    var elapsed = Duration.zero
    // With `--rm` a container's words go with it.
    var words: [String] = []
    while true {
      if isCancelled() { throw CancellationError() }
      let container = try await engine.container(name)
      let isRemovedAtEnd = container?["HostConfig"]?["AutoRemove"] == .bool(true)
      if isRemovedAtEnd { words = await engine.lastLines(of: name) }
      switch signs.look(container.map(ContainerState.init), at: elapsed) {
      case .live: return
      case .undecided: break
      case .failed(let problem):
        let last = container == nil ? words : await engine.lastLines(of: name)
        throw RolloutError("the new container \(problem)", log: last, isOfImage: true)
      }
      try await clock.pause(for: Self.interval)
      elapsed += Self.interval
    }
  }
}
