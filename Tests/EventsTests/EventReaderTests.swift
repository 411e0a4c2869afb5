import FoundationEssentials
import Synchronization
import TestSupport
import Testing

@testable import Events

struct EventReaderTests {
  private static func event(_ number: Int) -> Event {
    Event(sequence: number, time: Date(timeIntervalSince1970: 0), cycle: 1, kind: .ready)
  }

  // MARK: Queue

  private func drain(_ queue: inout EventQueue) -> [Event] {
    var taken: [Event] = []
    while let event = queue.take() { taken.append(event) }
    return taken
  }

  @Test func `events are taken in their order, however they come`() {
    var queue = EventQueue(limit: 5000)
    var taken: [Int] = []
    for number in 1...4000 {
      queue.add(Self.event(number))
      if number % 3 == 0, let event = queue.take() { taken.append(event.sequence) }
    }
    taken += drain(&queue).map(\.sequence)
    #expect(taken == Array(1...4000))
  }

  @Test func `what does not fit is left out, and an event in its place says so`() {
    var queue = EventQueue(limit: 3)
    for number in 1...7 { queue.add(Self.event(number)) }
    #expect(queue.take()?.sequence == 1)
    queue.add(Self.event(8))
    let rest = drain(&queue)
    #expect(rest.map(\.sequence) == [2, 3, 7, 8])
    let reason: String? = if case .degraded(let reason) = rest[2].kind { reason } else { nil }
    #expect(reason?.hasPrefix("4 events are missing here") == true)
  }

  @Test func `what is missing at the end is told as well`() {
    var queue = EventQueue(limit: 2)
    for number in 1...5 { queue.add(Self.event(number)) }
    #expect(drain(&queue).map(\.sequence) == [1, 2, 5])
    let isEmpty = queue.isEmpty
    #expect(isEmpty)
  }

  // MARK: Reader

  /// Takes events on the reader's own thread, and blocks it where a test wants it.
  private final class Hand: Sendable {
    let taken = Mutex<[Int]>([])
    /// Locked: it takes none.
    let gate = Mutex<Void>(())

    func write(_ event: Event) {
      gate.withLock { _ in taken.withLock { $0.append(event.sequence) } }
    }
  }

  @Test func `finishing waits until everything is written`() async throws {
    let hand = Hand()
    let reader = try EventReader(write: hand.write, failed: { _ in })
    for number in 1...500 { reader.add(Self.event(number)) }
    #expect(await reader.finish())
    reader.add(Self.event(501))
    #expect(hand.taken.withLock { $0 } == Array(1...500))
  }

  @Test func `a reader that takes none is given up, and nobody has waited for it`() async throws {
    let clock = ManualClock()
    let block = try Blocked()
    let reader = try EventReader(write: { _ in block.wait() }, failed: { _ in })
    for number in 1...20_000 { reader.add(Self.event(number)) }
    async let isWritten = reader.finish(patience: .seconds(2), clock: clock)
    await clock.waitForSleepers()
    clock.advance(by: .seconds(2))
    #expect(await !isWritten)
    block.release()
  }

  @Test func `a reader that is slow but alive gets everything`() async throws {
    let clock = ManualClock()
    let block = try Blocked()
    let hand = Hand()
    let reader = try EventReader(
      write: {
        block.wait()
        hand.write($0)
      }, failed: { _ in })
    for number in 1...3 { reader.add(Self.event(number)) }
    async let isWritten = reader.finish(patience: .seconds(2), clock: clock)
    for number in 1...3 {
      await clock.waitForSleepers()
      block.step()
      while hand.taken.withLock({ $0.count }) < number { await Task.yield() }
      clock.advance(by: .seconds(2))
    }
    #expect(await isWritten)
    #expect(hand.taken.withLock { $0 } == [1, 2, 3])
    block.release()
  }

  @Test func `an error ends it, and is told once`() async throws {
    struct Gone: Error {}
    let told = Mutex(0)
    let reader = try EventReader(
      write: { _ in throw Gone() }, failed: { _ in told.withLock { $0 += 1 } })
    for number in 1...3 { reader.add(Self.event(number)) }
    #expect(await reader.finish())
    while told.withLock({ $0 }) == 0 { await Task.yield() }
    #expect(told.withLock { $0 } == 1)
  }

  // MARK: JSON

  @Test(arguments: [
    ("\u{9B}31m", "\\u009b31m"), ("a\u{202E}b", "a\\u202eb"), ("\u{7F}", "\\u007f"),
    ("\u{200E}\u{2066}\u{2028}\u{61C}", "\\u200e\\u2066\\u2028\\u061c"),
    ("é→ßΩ…", "é→ßΩ…"), ("\u{1B}", "\\u001b"),
  ])
  func `what a terminal would act on is escaped in JSON too`(text: String, json: String) throws {
    let event = Event(
      sequence: 1, time: Date(timeIntervalSince1970: 0), cycle: nil, kind: .degraded(reason: text))
    #expect(
      String(decoding: try event.json().lazy, as: UTF8.self).lowercased().contains(
        "\"reason\":\"\(json.lowercased())\""))
  }
}
