import FoundationEssentials
import Synchronization
import TestSupport
import Testing

@testable import Events

@Suite(.timeLimit(.minutes(1)))
struct EventHubTests {
  private func hub(limit: Int = EventHub.limit) -> EventHub {
    EventHub(limit: limit, now: { Date(timeIntervalSince1970: 0) })
  }

  private static func text(_ reading: EventHub.Reading) -> String {
    switch reading {
    case .event(let event): "\(event.sequence)"
    case .missed(let numbers): "missed \(numbers.lowerBound)-\(numbers.upperBound)"
    }
  }

  // MARK: Tasks

  /// The first so many readings.
  private func read(_ count: Int, of events: EventHub.Events) async -> [String] {
    var read: [String] = []
    guard count > 0 else { return read }
    for await reading in events {
      read.append(Self.text(reading))
      if read.count == count { break }
    }
    return read
  }

  @Test func `a reader that joins late gets what was kept and what comes`() async {
    let hub = hub()
    for _ in 1...3 { hub.record(.ready) }
    let events = hub.events(since: 1)
    hub.record(.ready)
    #expect(await read(3, of: events) == ["2", "3", "4"])
  }

  @Test func `a reader that names no number gets what comes`() async {
    let hub = hub()
    hub.record(.ready)
    let events = hub.events()
    hub.record(.ready)
    #expect(await read(1, of: events) == ["2"])
  }

  @Test func `a slow reader is told what it missed, and goes on`() async {
    let hub = hub(limit: 3)
    let events = hub.events()
    var iterator = events.makeAsyncIterator()
    hub.record(.ready)
    let first = await iterator.next()
    for _ in 1...9 { hub.record(.ready) }
    var rest: [String] = []
    for _ in 1...4 { rest.append((await iterator.next()).map(Self.text) ?? "-") }
    #expect(first.map(Self.text) == "1")
    #expect(rest == ["missed 2-7", "8", "9", "10"])
  }

  @Test func `many readers that wait each get every event, and one that leaves is forgotten`() async
  {
    let hub = hub()
    await withTaskGroup(of: [String].self) { group in
      for _ in 1...50 { group.addTask { await read(100, of: hub.events(since: 0)) } }
      group.addTask {
        // It waits for what never comes, until it is cancelled.
        await read(1000, of: hub.events(since: 0))
      }
      while hub.waitingCount < 51 { await Task.yield() }
      for _ in 1...100 { hub.record(.ready) }
      for _ in 1...50 {
        let read = await group.next()
        #expect(read == (1...100).map(String.init))
      }
      group.cancelAll()
    }
    #expect(hub.waitingCount == 0)
  }

  @Test func `events that many tasks record at once are numbered without a gap`() async {
    let hub = hub()
    await withTaskGroup(of: Void.self) { group in
      for _ in 1...8 { group.addTask { for _ in 1...200 { hub.record(.ready) } } }
    }
    #expect(hub.last == 1600)
    #expect(hub.recorded.map(\.sequence) == Array(1...1600))
  }

  // MARK: Threads

  /// Takes events on the reader's own thread.
  private final class Hand: Sendable {
    let taken = Mutex<[String]>([])

    func write(_ reading: EventHub.Reading) { taken.withLock { $0.append(text(reading)) } }
  }

  @Test func `finishing waits until everything is written`() async throws {
    let (hub, hand) = (hub(), Hand())
    let reader = try EventReader(hub, write: hand.write, failed: { _ in })
    for _ in 1...500 { hub.record(.ready) }
    #expect(await reader.finish())
    hub.record(.ready)
    #expect(hand.taken.withLock { $0 } == (1...500).map(String.init))
  }

  @Test func `a reader that waits is woken by an event and by the end`() async throws {
    let (hub, hand) = (hub(), Hand())
    let reader = try EventReader(hub, write: hand.write, failed: { _ in })
    for number in 1...3 {
      while hub.waitingCount == 0 { await Task.yield() }
      hub.record(.ready)
      while hand.taken.withLock({ $0.count }) < number { await Task.yield() }
    }
    while hub.waitingCount == 0 { await Task.yield() }
    #expect(await reader.finish())
  }

  @Test func `a reader that takes none is given up, and nobody has waited for it`() async throws {
    let (hub, clock, hand) = (hub(), ManualClock(), Hand())
    let block = try Blocked()
    let stuck = try EventReader(hub, write: { _ in block.wait() }, failed: { _ in })
    let other = try EventReader(hub, write: hand.write, failed: { _ in })
    for _ in 1...5_000 { hub.record(.ready) }
    async let isWritten = stuck.finish(patience: .seconds(2), clock: clock)
    #expect(await other.finish())
    #expect(hand.taken.withLock { $0.count } == 5_000)
    await clock.waitForSleepers()
    clock.advance(by: .seconds(2))
    #expect(await !isWritten)
    block.release()
  }

  @Test func `a reader that was stuck is told what it missed`() async throws {
    let (hub, hand) = (hub(limit: 10), Hand())
    let block = try Blocked()
    let reader = try EventReader(
      hub,
      write: {
        hand.write($0)
        block.wait()
      }, failed: { _ in })
    hub.record(.ready)
    while hand.taken.withLock({ $0.isEmpty }) { await Task.yield() }
    for _ in 1...100 { hub.record(.ready) }
    block.release()
    #expect(await reader.finish())
    #expect(hand.taken.withLock { $0 } == ["1", "missed 2-91"] + (92...101).map(String.init))
  }

  @Test func `a reader that is slow but alive gets everything`() async throws {
    let (hub, clock, hand) = (hub(), ManualClock(), Hand())
    let block = try Blocked()
    let reader = try EventReader(
      hub,
      write: {
        block.wait()
        hand.write($0)
      }, failed: { _ in })
    for _ in 1...3 { hub.record(.ready) }
    async let isWritten = reader.finish(patience: .seconds(2), clock: clock)
    for number in 1...3 {
      await clock.waitForSleepers()
      block.step()
      while hand.taken.withLock({ $0.count }) < number { await Task.yield() }
      clock.advance(by: .seconds(2))
    }
    #expect(await isWritten)
    #expect(hand.taken.withLock { $0 } == ["1", "2", "3"])
    block.release()
  }

  @Test func `an error ends a reader, and is told once`() async throws {
    struct Gone: Error {}
    let hub = hub()
    let told = Mutex(0)
    let reader = try EventReader(
      hub, write: { _ in throw Gone() }, failed: { _ in told.withLock { $0 += 1 } })
    for _ in 1...3 { hub.record(.ready) }
    #expect(await reader.finish())
    while told.withLock({ $0 }) == 0 { await Task.yield() }
    #expect(told.withLock { $0 } == 1)
  }
}
