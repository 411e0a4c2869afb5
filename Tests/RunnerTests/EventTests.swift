import FoundationEssentials
import Runner
import Synchronization
import Testing

@Suite struct EventTests {
  private func json(_ kind: Event.Kind, cycle: Int? = nil) throws -> String {
    let event = Event(
      sequence: 7, time: Date(timeIntervalSince1970: 1_700_000_000.5), cycle: cycle, kind: kind)
    return String(decoding: try event.json(), as: UTF8.self)
  }

  @Test func `an event is one flat object with its number, time and type`() throws {
    #expect(
      try json(.ready) == #"{"seq":7,"time":"2023-11-14T22:13:20.500Z","type":"ready"}"#)
  }

  @Test func `fields of the kind stand beside the common ones`() throws {
    var image = Event.ImageChanged(image: "api", target: "//api:image", status: .loaded)
    image.layersSent = 1
    #expect(
      try json(.image(image), cycle: 3)
        == #"{"cycle":3,"image":"api","layersSent":1,"seq":7,"status":"loaded","#
        + #""target":"//api:image","time":"2023-11-14T22:13:20.500Z","type":"image"}"#)
  }

  @Test func `a reason is a field`() throws {
    #expect(try json(.overflow(reason: "queue\nfull")).contains(#""reason":"queue\nfull""#))
  }

  @Test func `the log numbers events in the order of their telling`() {
    let seen = Mutex<[Int]>([])
    let log = EventLog(now: { Date(timeIntervalSince1970: 0) }) { event in
      seen.withLock { $0.append(event.sequence) }
    }
    log.record(.ready)
    log.record(.stopping(reason: "SIGINT"))
    #expect(seen.withLock { $0 } == [1, 2])
  }
}
