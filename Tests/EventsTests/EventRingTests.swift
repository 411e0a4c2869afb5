import FoundationEssentials
import Testing

@testable import Events

struct EventRingTests {
  private func ring(limit: Int, events: Int) -> EventRing {
    var ring = EventRing(limit: limit)
    for number in 0..<events {
      ring.append(
        Event(
          sequence: number + 1, time: Date(timeIntervalSince1970: 0), cycle: nil, kind: .ready))
    }
    return ring
  }

  /// All that a reader gets from a number on, in short.
  private func read(_ ring: EventRing, after start: Int, upTo end: Int = .max) -> [String] {
    var cursor = start
    var read: [String] = []
    while let reading = ring.next(after: &cursor, upTo: end) {
      switch reading {
      case .event(let event): read.append("\(event.sequence)")
      case .missed(let numbers): read.append("missed \(numbers.lowerBound)-\(numbers.upperBound)")
      }
    }
    return read
  }

  @Test func `a reader gets each event once, in order`() {
    #expect(read(ring(limit: 5, events: 3), after: 0) == ["1", "2", "3"])
  }

  @Test func `a reader begins behind the event that it names`() {
    #expect(read(ring(limit: 5, events: 5), after: 3) == ["4", "5"])
  }

  @Test(arguments: 1...30)
  func `what a reader gets and what it misses make up the whole`(count: Int) {
    let ring = ring(limit: 7, events: count)
    let missed = count > 7 ? ["missed 1-\(count - 7)"] : []
    #expect(read(ring, after: 0) == missed + (max(1, count - 6)...count).map(String.init))
    #expect(ring.all.map(\.sequence) == Array(max(1, count - 6)...count))
  }

  @Test func `a reader that is still within what is kept misses nothing`() {
    #expect(read(ring(limit: 3, events: 10), after: 7) == ["8", "9", "10"])
  }

  @Test func `a number of another run counts as the newest`() {
    var ring = ring(limit: 3, events: 2)
    var cursor = 900
    let reading = ring.next(after: &cursor)
    #expect(reading.map { "\($0)" } == nil)
    #expect(cursor == 2)
    ring.append(
      Event(sequence: 3, time: Date(timeIntervalSince1970: 0), cycle: nil, kind: .ready))
    #expect(read(ring, after: cursor) == ["3"])
  }

  @Test func `a reader that ends gets nothing behind its end, not even a gap`() {
    #expect(read(ring(limit: 3, events: 10), after: 0, upTo: 5) == ["missed 1-5"])
    #expect(read(ring(limit: 3, events: 10), after: 0, upTo: 9) == ["missed 1-7", "8", "9"])
  }
}
