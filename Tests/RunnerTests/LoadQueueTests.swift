import Batching
import FoundationEssentials
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Runner

@Suite struct LoadQueueTests {
  /// Holds each load until it is let go.
  private final class HeldRuntime: ImageRuntime {
    let name: String
    let combinesLoads: Bool
    private let started = Mutex(0)
    private let gate: AsyncStream<Void>
    private let open: AsyncStream<Void>.Continuation

    init(_ name: String, combinesLoads: Bool = false, isHeld: Bool = true) {
      self.name = name
      self.combinesLoads = combinesLoads
      (gate, open) = AsyncStream.makeStream(of: Void.self)
      if !isHeld { open.finish() }
    }

    var startedCount: Int { started.withLock { $0 } }

    func letGo() { open.finish() }

    func isAvailable() async -> Bool { true }

    func load(
      _ archive: ImageArchive, as reference: ImageReference
    ) async throws -> LoadResult {
      LoadProgress.current?.begin(100, layers: 3)
      LoadProgress.current?.add(40, layers: 2)
      started.withLock { $0 += 1 }
      for await _ in gate {}
      return LoadResult(
        isChanged: true, id: archive.configDigest, bytesSent: 100, layersSent: 1, layersTotal: 1)
    }
  }

  private func running(
    _ runtimes: [HeldRuntime], images: Int, clock: ManualClock,
    _ body: @Sendable (Events) async throws -> Void
  ) async throws {
    let events = Events()
    try await withScratchDirectory { directory in
      let path = directory.appending("image.tar")
      try path.write(TestImage(layers: [TestImage.layer("a", "b")]).dockerArchive())
      let archive = try ImageArchive.open(path)
      let reference = try #require(ImageReference("lab/app:dev"))
      let label = try #require(Label("//app:image"))
      let log = EventLog(now: { Date(timeIntervalSince1970: 0) }) { event in
        events.all.withLock { $0.append(event) }
      }
      let queue = LoadQueue(limit: 2, record: CycleRecord(number: 1, log: log), clock: clock)
      let (jobs, feed) = AsyncStream.makeStream(of: LoadQueue<ManualClock>.Job.self)
      for number in 0..<images {
        let image = ImageTarget(
          name: "image\(number)", label: label, key: BatchKey(workspace: "/w"))
        for runtime in runtimes {
          feed.yield(
            .init(image: image, archive: archive, reference: reference, runtime: runtime))
        }
      }
      feed.finish()
      async let done: Void = queue.run(jobs)
      try await body(events)
      await done
    }
  }

  private final class Events: Sendable {
    let all = Mutex<[Event]>([])
  }

  @Test func `a runtime that hangs holds up no other, and each has its limit`() async throws {
    let slow = HeldRuntime("slow")
    let quick = HeldRuntime("quick", isHeld: false)
    let together = HeldRuntime("together", combinesLoads: true)
    try await running([slow, quick, together], images: 4, clock: ManualClock()) { _ in
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
      #expect(events.all.withLock { $0.isEmpty })
      clock.advance(by: .seconds(1))
      await clock.waitForSleepers()
      let told = events.all.withLock { $0.first }
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
}
