import Graph
import Runtimes
import Synchronization

/// Makes a container anew from a newer image, with the configuration that it has.
///
/// The old one serves until the new one is live, unless both can't run at once. It is stopped by its own signal and
/// timeout. Where the new one does not start, ends or turns unhealthy, the old one serves again.
struct ContainerRollout: RestartingRollout {
  let kind = "container"
  /// As people call it.
  let container: String
  /// The engines that may have it; each image is loaded into all of them.
  let engines: [EngineClient]
  let rule: RolloutRule
  let clock: any Clock<Duration>

  var target: String { "container \(container)" }
  var lane: String { target }

  func running() async throws -> (engine: EngineClient, containers: [String])? {
    for engine in engines {
      if let spec = try await engine.containerSpec(container) { return (engine, [spec.id]) }
    }
    return nil
  }

  func roll(_ image: RolledImage, isForced: Bool) async throws -> RolloutResult {
    guard !engines.isEmpty else {
      throw RolloutError(
        "images are loaded into no engine that has containers", hint: "use --load docker or podman")
    }
    for engine in engines {
      if let result = try await RecreatedContainer(container, engine, rule, clock)
        .roll(image, isForced: isForced)
      {
        return result
      }
    }
    throw RolloutError(
      "there is no such container in \(engines.map(\.runtime).joined(separator: " or "))",
      hint: "make it once with 'docker run --name \(container)', and mend the name in "
        + "watchbuild.yaml if it has another")
  }
}
