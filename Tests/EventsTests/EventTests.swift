import Bazel
import Events
import FoundationEssentials
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
    let log = EventHub(now: { Date(timeIntervalSince1970: 0) })
    log.record(.ready)
    log.record(.stopping(reason: "SIGINT"))
    #expect(log.recorded.map(\.sequence) == [1, 2])
  }

  @Test func `a mistake is told once in a cycle, and again of each image that it breaks`() {
    let log = EventHub(now: { Date(timeIntervalSince1970: 0) })
    var seen: [String] {
      log.recorded.compactMap { event in
        guard case .diagnostic(let told) = event.kind else { return nil }
        return "\(event.cycle ?? 0) \(told.line) \(told.image ?? "-")"
      }
    }
    func tell(_ line: Int, _ image: String?, cycle: Int?) {
      let diagnostic = Diagnostic(file: "BUILD", line: line, severity: .error, message: "wrong")
      log.record(.diagnostic(Event.Diagnosed(diagnostic, image: image)), cycle: cycle)
    }
    tell(1, nil, cycle: nil)
    tell(1, nil, cycle: 1)
    tell(2, nil, cycle: 1)
    for image in ["api", "api", nil, "web"] { tell(1, image, cycle: 1) }
    let ended = Event.CycleEnded(
      status: .failed, ok: 0, failed: 1, timings: .init(), bazelCommands: 1)
    log.record(.cycle(ended), cycle: 1)
    tell(1, nil, cycle: 2)
    #expect(seen == ["0 1 -", "1 2 -", "1 1 api", "1 1 web", "2 1 -"])
  }

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
