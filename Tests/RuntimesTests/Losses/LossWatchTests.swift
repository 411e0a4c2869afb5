import Synchronization
import TestSupport
import Testing

@testable import Images
@testable import Runtimes

@Suite struct LossWatchTests {
  private static let image = Digest(of: Array("api".utf8))
  private static let other = Digest(of: Array("other".utf8))

  /// Holds what a test puts there, and tells of events as the test says.
  private final class ToldRuntime: ImageRuntime {
    let name = "docker"
    let lossNotice: LossNotice

    private struct State {
      var there: [ImageReference: Digest] = [:]
      var looks = 0
      var connections = 0
      var events: AsyncStream<Void>.Continuation?
      var lostByRestart: ImageReference?
    }
    private let state = Mutex(State())

    init(_ notice: LossNotice = .events) { lossNotice = notice }

    var looks: Int { state.withLock { $0.looks } }
    var connections: Int { state.withLock { $0.connections } }

    func put(_ digest: Digest?, as reference: ImageReference) {
      state.withLock { $0.there[reference] = digest }
    }

    func tell() { _ = state.withLock { $0.events }?.yield() }

    /// As when the engine ends, and loses what it has before it is there again.
    func restart(losing reference: ImageReference) {
      state.withLock { state in
        state.lostByRestart = reference
        return state.events
      }?.finish()
    }

    func isAvailable() async -> Bool { true }

    func load(
      _ archive: ImageArchive, as references: [ImageReference]
    ) async throws -> LoadResult {
      throw CancellationError()
    }

    func losses(among held: [ImageReference: Digest]) async throws -> [ImageReference: ImageLoss] {
      state.withLock { state in
        state.looks += 1
        var losses: [ImageReference: ImageLoss] = [:]
        for (reference, digest) in held where state.there[reference] != digest {
          losses[reference] = state.there[reference] == nil ? .removed : .replaced
        }
        return losses
      }
    }

    func followEvents(_ happened: @escaping @Sendable () -> Void) async throws {
      let (events, feed) = AsyncStream.makeStream(of: Void.self)
      state.withLock { state in
        state.events = feed
        state.connections += 1
        if let lost = state.lostByRestart { state.there[lost] = nil }
      }
      happened()
      for await _ in events { happened() }
    }
  }

  private final class Losses: Sendable {
    let all = Mutex<[LostImage]>([])
    var texts: [String] { all.withLock { $0.map(\.description) } }
  }

  private struct Scene: Sendable {
    let runtime: ToldRuntime
    let held: HeldImages
    let clock: ManualClock
    let losses: Losses
    let api: ImageReference
    let other: ImageReference

    /// What a load of ours does.
    func load(_ digest: Digest = image) {
      runtime.put(digest, as: api)
      held.hold("api", digest, as: [api], in: "docker")
    }

    /// Lets time pass until something is so.
    func pass(until isSo: () -> Bool) async {
      while !isSo() {
        clock.advance(by: .milliseconds(100))
        await Task.yield()
      }
    }

    /// Lets a look be taken that begins from now on, and another.
    func look() async {
      let before = runtime.looks
      await pass { runtime.looks > before }
      held.hold("other", image, as: [other], in: "docker")
      await pass { runtime.looks > before + 1 }
    }

    func passSomeTime() async {
      for _ in 0..<50 {
        clock.advance(by: .milliseconds(100))
        await Task.yield()
      }
    }
  }

  private func watching(
    _ notice: LossNotice = .events, _ body: @Sendable (Scene) async throws -> Void
  ) async throws {
    let scene = Scene(
      runtime: ToldRuntime(notice), held: HeldImages(), clock: ManualClock(), losses: Losses(),
      api: try #require(ImageReference("api:dev")),
      other: try #require(ImageReference("other:dev")))
    scene.runtime.put(Self.image, as: scene.other)
    let watch = LossWatch(scene.runtime, held: scene.held, clock: scene.clock)
    let losses = scene.losses
    let task = Task { await watch.run { lost in losses.all.withLock { $0 += lost } } }
    try await body(scene)
    task.cancel()
    await task.value
  }

  /// Watched, with an image loaded and the engine followed.
  private func holding(_ body: @Sendable (Scene) async throws -> Void) async throws {
    try await watching { scene in
      scene.load()
      await scene.pass { scene.runtime.connections > 0 && scene.runtime.looks > 0 }
      try await body(scene)
    }
  }

  @Test func `an image that is removed is told of once`() async throws {
    try await holding { scene in
      scene.runtime.put(nil, as: scene.api)
      scene.runtime.tell()
      await scene.pass { !scene.losses.texts.isEmpty }
      #expect(scene.held.all(in: "docker").isEmpty)
      scene.runtime.tell()
      await scene.passSomeTime()
      #expect(
        scene.losses.texts == [
          "api:dev was removed from docker by another hand; it is loaded again"
        ])
    }
  }

  @Test func `a name that is given to another image is told of, later when it comes again`()
    async throws
  {
    try await holding { scene in
      scene.runtime.put(Self.other, as: scene.api)
      scene.runtime.tell()
      await scene.pass { scene.losses.texts.count == 1 }
      let first = scene.clock.now
      scene.load()
      await scene.look()
      scene.runtime.put(Self.other, as: scene.api)
      scene.runtime.tell()
      await scene.pass { scene.losses.texts.count == 2 }
      #expect(first.duration(to: scene.clock.now) >= .seconds(9))
      #expect(
        scene.losses.all.withLock { $0.map(\.loss) } == [.replaced, .replaced])
      #expect(scene.losses.all.withLock { $0.map(\.repetitions) } == [0, 1])
    }
  }

  @Test func `what our own loads do is no loss`() async throws {
    try await holding { scene in
      // A cycle that makes it anew: the name moves, and the event comes before the load's end.
      scene.held.forget(["api"])
      scene.runtime.put(Self.other, as: scene.api)
      scene.runtime.tell()
      await scene.passSomeTime()
      scene.load(Self.other)
      scene.runtime.tell()
      await scene.look()
      #expect(scene.losses.texts == [])
    }
  }

  @Test func `what is lost while a load of it ends is seen, without any event`() async throws {
    try await holding { scene in
      scene.held.forget(["api"])
      scene.held.hold("api", Self.other, as: [scene.api], in: "docker")
      await scene.pass { !scene.losses.texts.isEmpty }
      #expect(scene.losses.all.withLock { $0.map(\.loss) } == [.replaced])
    }
  }

  @Test func `an engine that is started anew is followed again, and looked at`() async throws {
    try await holding { scene in
      scene.runtime.restart(losing: scene.api)
      await scene.pass { !scene.losses.texts.isEmpty }
      #expect(scene.runtime.connections == 2)
      #expect(scene.losses.all.withLock { $0.map(\.loss) } == [.removed])
    }
  }

  @Test func `nobody is asked or followed before something was loaded`() async throws {
    try await watching { scene in
      await scene.passSomeTime()
      #expect(scene.runtime.connections == 0)
      #expect(scene.runtime.looks == 0)
    }
  }

  @Test func `one without events is looked at twice a minute`() async throws {
    try await watching(.looks) { scene in
      scene.load()
      scene.runtime.put(nil, as: scene.api)
      await scene.clock.waitForSleepers()
      let start = scene.clock.now
      await scene.pass { !scene.losses.texts.isEmpty }
      let waited = start.duration(to: scene.clock.now)
      #expect(waited >= .seconds(30))
      #expect(scene.runtime.looks == 1)
    }
  }
}
