import Batching
import Synchronization
import SystemPackage
import TestSupport
import Testing
import Watcher

@Suite(.timeLimit(.minutes(10))) struct BatcherTests {
  private typealias TestBatcher = Batcher<ManualClock>

  private func change(_ path: String) -> WatchEvent {
    .changed(FileChange(path: FilePath(path), kind: .modified))
  }

  /// Runs a batcher while `script` feeds it; gives the batches it made.
  private func batches(
    isHeld: @escaping @Sendable () -> Bool = { false },
    _ script: (
      AsyncStream<TestBatcher.Input>.Continuation, ManualClock, AsyncStream<Batch>
    ) async -> Void
  ) async {
    let clock = ManualClock()
    let batcher = TestBatcher(
      limits: .init(debounce: .milliseconds(30), maxDelay: .milliseconds(500)), clock: clock,
      isHeld: isHeld)
    let (inputs, feed) = AsyncStream.makeStream(of: TestBatcher.Input.self)
    let (output, sink) = AsyncStream.makeStream(of: Batch.self)
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        await batcher.run(inputs) { sink.yield($0) }
        sink.finish()
      }
      await script(feed, clock, output)
      feed.finish()
    }
  }

  @Test func `changes close to each other are one batch`() async {
    await batches { feed, clock, output in
      feed.yield(.events([change("/w/a"), change("/w/b")]))
      await clock.waitForSleepers()
      clock.advance(by: .milliseconds(30))
      let batch = await output.first()
      #expect(batch?.changes.count == 2)
    }
  }

  @Test func `a change after the close opens the next window`() async {
    await batches { feed, clock, output in
      feed.yield(.events([change("/w/a")]))
      await clock.waitForSleepers()
      clock.advance(by: .milliseconds(30))
      let batch = await output.first()
      #expect(batch?.changes.map(\.path) == ["/w/a"])
      feed.yield(.events([change("/w/b")]))
      await clock.waitForSleepers()
      clock.advance(by: .milliseconds(30))
      let next = await output.first()
      #expect(next?.changes.map(\.path) == ["/w/b"])
    }
  }

  @Test func `a request is answered without waiting`() async {
    await batches { feed, _, output in
      feed.yield(.request(Request(id: 1, demand: .rebuild([], cause: .start))))
      let batch = await output.first()
      #expect(batch?.cause == .start)
      #expect(batch?.affectsEverything == true)
    }
  }

  @Test func `the window stays open while version control holds it`() async {
    let isHeld = Mutex(true)
    await batches(isHeld: { isHeld.withLock { $0 } }) { feed, clock, output in
      feed.yield(.events([change("/w/a")]))
      await clock.waitForSleepers()
      clock.advance(by: .milliseconds(30))
      await clock.waitForSleepers()
      isHeld.withLock { $0 = false }
      clock.advance(by: .milliseconds(30))
      let batch = await output.first()
      #expect(batch?.window == .milliseconds(60))
    }
  }
}

extension AsyncStream where Element: Sendable {
  fileprivate func first() async -> Element? {
    for await element in self { return element }
    return nil
  }
}
