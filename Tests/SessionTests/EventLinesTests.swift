import Events
import FoundationEssentials
import Testing

@testable import Session

@Suite struct EventLinesTests {
  private func hub(_ count: Int, limit: Int = 10) -> EventHub {
    let hub = EventHub(limit: limit) { Date(timeIntervalSince1970: 0) }
    for _ in 0..<count { hub.record(.ready) }
    return hub
  }

  private struct Line: Decodable {
    var seq: Int
    var type: String
  }

  private func lines(_ hub: EventHub, since: Int?) async throws -> [Line] {
    var lines: [Line] = []
    for await line in EventLines(hub, since: since, goesOn: false) {
      lines.append(try JSONDecoder().decode(Line.self, from: Data(line)))
    }
    return lines
  }

  @Test func `what is kept is given from where a reader left off`() async throws {
    #expect(try await lines(hub(5), since: 3).map(\.seq) == [4, 5])
    #expect(try await lines(hub(5), since: 5).isEmpty)
    #expect(try await lines(hub(5), since: nil).isEmpty)
  }

  @Test func `what is kept no longer is told as missing`() async throws {
    let lines = try await lines(hub(25), since: 2)
    #expect(lines.first?.type == "missed")
    #expect(lines.map(\.seq) == Array(15...25))
  }

  @Test func `a number of another run begins at the beginning`() async throws {
    #expect(try await lines(hub(3), since: 900).map(\.seq) == [1, 2, 3])
  }

  @Test func `a reader hears what comes, until it goes`() async throws {
    let hub = hub(3)
    var stream = EventLines(hub, since: nil, goesOn: true).makeAsyncIterator()
    hub.record(.ready)
    let line = await stream.next()
    #expect(try JSONDecoder().decode(Line.self, from: Data(line ?? [])).seq == 4)
    let reading = Task {
      var count = 0
      for await _ in EventLines(hub, since: nil, goesOn: true) { count += 1 }
      return count
    }
    reading.cancel()
    #expect(await reading.value == 0)
  }
}
