import Basics
import FoundationEssentials
import Graph
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Events
@testable import Images
@testable import Runner
@testable import Runtimes

@Suite struct DeliveryQueueTests {
  private func running(
    _ runtimes: [HeldRuntime], images: Int, then rollout: (any Rollout)? = nil,
    clock: ManualClock = ManualClock(),
    underway: StepsUnderway = StepsUnderway(), _ body: @Sendable (Events) async throws -> Void
  ) async throws {
    let log = EventHub(now: { Date(timeIntervalSince1970: 0) })
    let events = Events(hub: log)
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(TestImage(layers: [TestImage.layer("a", "b")]).dockerArchive())
      let archive = try ImageArchive.open(path)
      let reference = try #require(ImageReference("lab/app:dev"))
      let label = try #require(Label("//app:image"))
      let queue = DeliveryQueue(
        limit: 2, underway: underway, record: CycleRecord(number: 1, log: log), clock: clock)
      let (deliveries, feed) = AsyncStream.makeStream(of: Delivery.self)
      for number in 0..<images {
        let image = ImageTarget(
          name: "image\(number)", label: label, key: BatchKey(workspace: "/w"))
        feed.yield(Delivery(of: image, archive, as: [reference], into: runtimes, then: rollout))
      }
      feed.finish()
      async let done = queue.run(deliveries)
      try await body(events)
      _ = await done
    }
  }

  private struct Events: Sendable {
    let hub: EventHub

    var all: [Event] { hub.recorded }

    /// What became of each image, in the order of the events.
    var images: [String] {
      all.compactMap { event in
        guard case .image(let image) = event.kind else { return nil }
        return "\(image.image) \(image.status.rawValue) \(image.runtime ?? "")"
      }
    }
  }

  @Test func `a runtime that hangs holds up no other, and each has its limit`() async throws {
    let slow = HeldRuntime("slow")
    let quick = HeldRuntime("quick", isHeld: false)
    let together = HeldRuntime("together", combinesLoads: true)
    try await running([slow, quick, together], images: 4) { _ in
      while quick.startedCount < 4 || together.startedCount < 4 || slow.startedCount < 2 {
        await Task.yield()
      }
      #expect(slow.startedCount == 2)
      slow.letGo()
      together.letGo()
    }
    #expect(slow.startedCount == 4)
  }

  @Test func `a load that takes longer than a second is told of`() async throws {
    let clock = ManualClock()
    let slow = HeldRuntime("slow")
    try await running([slow], images: 1, clock: clock) { events in
      while slow.startedCount < 1 { await Task.yield() }
      await clock.waitForSleepers()
      #expect(events.all.isEmpty)
      clock.advance(by: .seconds(1))
      await clock.waitForSleepers()
      let told = events.all.first
      guard case .progress(let progress)? = told?.kind else {
        Issue.record("no progress")
        return slow.letGo()
      }
      #expect(progress.image == "image0")
      #expect(progress.bytesSent == 40)
      #expect(progress.bytesTotal == 100)
      #expect(progress.bytesPerSecond == 40)
      #expect(progress.layersSent == 2)
      #expect(progress.layersTotal == 3)
      slow.letGo()
    }
  }

  @Test func `a name that another tool's image had is told, and one of ours is not`() async throws {
    try await withScratchDirectory { directory in
      let reference = try #require(ImageReference("lab/app:dev"))
      let label = try #require(Label("//app:image"))
      let image = ImageTarget(name: "app", label: label, key: BatchKey(workspace: "/w"))
      let store = ImageStore(directory.appending("store"))
      let archives = try ["foreign", "first", "second"].map { name in
        let path = directory.appending("\(name).tar")
        try path.write(TestImage(layers: [TestImage.layer("a", name)]).dockerArchive())
        return try ImageArchive.open(path)
      }
      let foreign = try await store.load(archives[0], as: [reference]).id
      var notes: [String?] = []
      for archive in archives.dropFirst() {
        let log = EventHub(now: { Date(timeIntervalSince1970: 0) })
        let queue = DeliveryQueue(
          limit: 1,
          ledger: Ledger(
            in: PrivateDirectory(below: directory, "state"), now: { Date(timeIntervalSince1970: 9) }
          ),
          record: CycleRecord(number: 1, log: log), clock: ManualClock())
        let (deliveries, feed) = AsyncStream.makeStream(of: Delivery.self)
        feed.yield(Delivery(of: image, archive, as: [reference], into: [store]))
        feed.finish()
        _ = await queue.run(deliveries)
        for event in log.recorded {
          if case .image(let changed) = event.kind { notes.append(changed.note) }
        }
      }
      #expect(
        notes == [
          "lab/app:dev stood for an image that watchbuild did not load, "
            + foreign.hexadecimal.prefix(12), nil,
        ])
    }
  }

  // MARK: Rollouts

  /// Notes what it was given, and answers as a test says.
  private final class PlayedRollout: Rollout {
    let kind = "container"
    let target = "container cart"
    let lane = "container cart"
    private let result: Result<RolloutResult, RolloutError>
    private let given = Mutex<[RolledImage]>([])
    private let isHeld: Bool

    init(
      _ result: Result<RolloutResult, RolloutError> = .success(
        RolloutResult(isChanged: true, isLive: true)), isHeld: Bool = false
    ) {
      self.result = result
      self.isHeld = isHeld
    }

    var images: [RolledImage] { given.withLock { $0 } }

    func roll(_ image: RolledImage) async throws -> RolloutResult {
      given.withLock { $0.append(image) }
      if isHeld {
        for await _ in AsyncStream<Never>.makeStream().stream {}
        throw CancellationError()
      }
      return try result.get()
    }
  }

  @Test func `a rollout begins when every runtime holds the image, with its IDs there`()
    async throws
  {
    let (slow, quick) = (HeldRuntime("slow"), HeldRuntime("quick", isHeld: false))
    let rollout = PlayedRollout()
    try await running([slow, quick], images: 1, then: rollout) { events in
      while !events.images.contains("image0 loaded quick") { await Task.yield() }
      #expect(rollout.images.isEmpty)
      slow.letGo()
      while !events.images.contains("image0 live ") { await Task.yield() }
    }
    #expect(rollout.images.map(\.name) == ["image0"])
    #expect(rollout.images.first.map { Set($0.loaded.keys) } == ["slow", "quick"])
  }

  @Test func `a rollout that fails is told, and only the image's own fault waits for a save`()
    async throws
  {
    for isOfImage in [true, false] {
      let record = CycleRecord(
        number: 1, log: EventHub(now: { Date(timeIntervalSince1970: 0) }))
      let image = ImageTarget(
        name: "cart", label: try #require(Label("//cart:image")), key: BatchKey(workspace: "/w"))
      let rollout = PlayedRollout()
      record.begin(["cart"])
      record.built(image, ms: 0, steps: [.rollout(of: rollout.target)])
      record.failedRollout(
        image, RolloutError("it ended", isOfImage: isOfImage), by: rollout, ms: 0)
      let outcome = record.end(totalMs: 0, indexes: [])
      #expect(outcome.current.isEmpty)
      #expect(
        outcome.retriedSteps == (isOfImage ? [:] : [.rollout("container cart"): ["cart"]]))
    }
  }

  @Test func `a rollout whose image is built anew is ended`() async throws {
    let underway = StepsUnderway()
    let rollout = PlayedRollout(isHeld: true)
    try await running(
      [HeldRuntime("docker", isHeld: false)], images: 1, then: rollout, underway: underway
    ) { events in
      while rollout.images.isEmpty { await Task.yield() }
      underway.outdate(["image0"])
      while !events.images.contains("image0 cancelled ") { await Task.yield() }
    }
  }

  // MARK: Outdated loads

  @Test func `a load whose image is built anew is ended, and so is one that waits`() async throws {
    let runtime = HeldRuntime("docker")
    let underway = StepsUnderway()
    try await running([runtime], images: 4, underway: underway) { events in
      while runtime.startedCount < 2 { await Task.yield() }
      // The first is under way, the last waits for its turn.
      underway.outdate(["image0", "image3"])
      while runtime.startedCount < 3 { await Task.yield() }
      #expect(events.images == ["image0 cancelled "])
      runtime.letGo()
      while events.images.count < 4 { await Task.yield() }
      #expect(
        Set(events.images.dropFirst())
          == ["image1 loaded docker", "image2 loaded docker", "image3 cancelled "])
    }
    #expect(runtime.startedCount == 3)
  }

  @Test(arguments: [51, 100])
  func `a load that has sent more than is left is let finish`(sent: Int) async throws {
    let runtime = HeldRuntime("docker", sent: sent)
    let underway = StepsUnderway()
    try await running([runtime], images: 1, underway: underway) { events in
      while runtime.startedCount < 1 { await Task.yield() }
      underway.outdate(["image0"])
      runtime.letGo()
      while events.images.isEmpty { await Task.yield() }
      #expect(events.images == ["image0 loaded docker"])
    }
  }

  @Test func `a load is ended twice in a row, then let finish`() async throws {
    let underway = StepsUnderway()
    for isLetFinish in [false, false, true, false] {
      let runtime = HeldRuntime("docker")
      try await running([runtime], images: 1, underway: underway) { events in
        while runtime.startedCount < 1 { await Task.yield() }
        underway.outdate(["image0"])
        if isLetFinish { runtime.letGo() }
        while events.images.isEmpty { await Task.yield() }
        #expect(events.images == [isLetFinish ? "image0 loaded docker" : "image0 cancelled "])
      }
    }
  }

  @Test func `a load that begins later is not outdated`() async throws {
    let runtime = HeldRuntime("docker", isHeld: false)
    let underway = StepsUnderway()
    underway.outdate(["image0"])
    try await running([runtime], images: 1, underway: underway) { events in
      while events.images.isEmpty { await Task.yield() }
      #expect(events.images == ["image0 loaded docker"])
    }
  }

  @Test func `what stays in the runtime is not lost by ending a load`() {
    var count = LoadProgress.Count(sent: 90, total: 100)
    #expect(!count.isBetterAbandoned)
    count.kept = 85
    #expect(count.isBetterAbandoned)
    #expect(LoadProgress.Count().isBetterAbandoned)
  }
}
