import Basics
import Graph
import Images
import Runtimes
import Synchronization

/// One container in one engine, on its way to a newer image.
///
/// Beside it lie for a while `NAME.watchbuild-new` and `NAME.watchbuild-old`. Whoever finds them later knows that a
/// rollout was cut short, and mends it.
struct RecreatedContainer: Sendable {
  private let name: String
  private let engine: EngineClient
  private let rule: RolloutRule
  private let clock: any Clock<Duration>

  private var new: String { "\(name).watchbuild-new" }
  private var old: String { "\(name).watchbuild-old" }

  init(
    _ name: String, _ engine: EngineClient, _ rule: RolloutRule, _ clock: any Clock<Duration>
  ) {
    self.name = name
    self.engine = engine
    self.rule = rule
    self.clock = clock
  }

  /// - Parameter isForced: Also where it runs the image by its ID: other files were written into it.
  /// - Returns: `nil` where the engine has no such container.
  func roll(_ image: RolledImage, isForced: Bool = false) async throws -> RolloutResult? {
    let isCancelled = Mutex(false)
    // No child: what has begun is undone or finished also when this task is cancelled, which the flag tells it. It
    // is always awaited.
    let work = Task { try await roll(image, isForced) { isCancelled.withLock { $0 } } }
    return try await withTaskCancellationHandler {
      try await work.value
    } onCancel: {
      isCancelled.withLock { $0 = true }
    }
  }

  private func roll(
    _ image: RolledImage, _ isForced: Bool, _ isCancelled: @escaping @Sendable () -> Bool
  ) async throws -> RolloutResult? {
    try await mend()
    guard let spec = try await engine.containerSpec(name) else { return nil }
    guard let wanted = try await engine.image(image.reference.description) else {
      throw RolloutError("\(engine.runtime) has no image \(image.reference)")
    }
    if isCancelled() { throw CancellationError() }
    if !isForced, spec.image.hasSuffix(wanted.id.hexadecimal), spec.state.isRunning {
      guard rule.verification == .live else {
        return RolloutResult(isChanged: false, isLive: false)
      }
      try await watch(name, isCancelled)
      return RolloutResult(isChanged: false, isLive: true)
    }
    try await replace(spec, by: image, wanted.id, isCancelled)
    return RolloutResult(isChanged: true, isLive: rule.verification == .live)
  }

  /// Takes away what a rollout that was cut short has left.
  private func mend() async throws {
    try await engine.removeContainer(new)
    guard try await engine.container(old) != nil else { return }
    if try await engine.container(name) == nil {
      try await engine.rename(old, to: name)
      try await engine.start(name)
    } else {
      try await engine.stop(old)
      try await engine.removeContainer(old)
    }
  }

  private func replace(
    _ spec: ContainerSpec, by image: RolledImage, _ id: Digest,
    _ isCancelled: @escaping @Sendable () -> Bool
  ) async throws {
    let isAlone = spec.conflict != nil || !spec.state.isRunning
    do {
      // By the name that its maker gave, where that stands for the new image.
      let given = try await engine.image(spec.imageName)?.id == id
      try await engine.make(
        new, like: spec, from: given ? spec.imageName : image.reference.description)
      if isCancelled() { throw CancellationError() }
      if isAlone { try await makeRoom(spec) }
      try await start()
      if rule.verification == .live { try await watch(new, isCancelled) }
      if isCancelled() { throw CancellationError() }
    } catch {
      try await undo(spec, isAlone: isAlone)
      throw error
    }
    // From here on it is finished, whatever comes.
    if !(isAlone && spec.isRemovedAtEnd) { try await engine.rename(spec.id, to: old) }
    try await engine.rename(new, to: name)
    if !isAlone { try await engine.stop(spec.id) }
    try await engine.removeContainer(spec.id)
  }

  private func start() async throws {
    do {
      try await engine.start(new)
    } catch let error as RuntimeError where error.kind == .refused {
      // Its program is not there, say: tried again and again it would only keep the old one from serving.
      throw RolloutError(error.description, isOfImage: true)
    }
  }

  /// Stops the old container, so that the new one can have what both need.
  private func makeRoom(_ spec: ContainerSpec) async throws {
    try await engine.stop(spec.id)
    guard spec.isRemovedAtEnd else { return }
    // With `--rm` it goes a moment after its end, and its name with it.
    for _ in 0..<100 where try await engine.container(spec.id) != nil {
      try await clock.pause(for: .milliseconds(50))
    }
  }

  /// Puts the old container back, so that it runs again.
  private func undo(_ spec: ContainerSpec, isAlone: Bool) async throws {
    try await engine.removeContainer(new)
    guard isAlone, spec.state.isRunning else { return }
    // With `--rm` it went when it was stopped.
    if try await engine.container(spec.id) == nil {
      try await engine.make(name, like: spec, from: spec.image)
    }
    try await engine.start(name)
  }

  /// Looks at a container until it is live.
  private func watch(
    _ name: String, _ isCancelled: @escaping @Sendable () -> Bool
  ) async throws {
    try await ContainerWatch(engine: engine, rule: rule, clock: clock).watch(name, isCancelled)
  }
}
