import Bazel
import Events
import Testing

@testable import watchbuild

@Suite struct CycleRowsTests {
  @Test func `a cycle that went well is one row, and begins with the file`() {
    #expect(
      Frames.rows([
        Frames.batch(["services/fraud/src/fraud.routes"], ["fraud"]),
        Frames.image("fraud", .built),
        Frames.image("fraud", .loaded, ref: "storefront/fraud:dev", bytes: 14_000),
        Frames.ended(.ok, ok: 1),
      ]) == [
        Self.aligned("14:02:11 ✓ fraud.routes            fraud → storefront/fraud:dev 14.0 kB 0.7s")
      ])
  }

  /// The time of a cycle stands at the edge of an 80-column screen.
  private static func aligned(_ row: String) -> String {
    guard row.hasSuffix("s"), let blank = row.lastIndex(of: " ") else { return row }
    let time = String(row[row.index(after: blank)...])
    var begin = String(row[..<blank])
    while begin.hasSuffix(" ") { begin.removeLast() }
    return begin + String(repeating: " ", count: 79 - begin.count - time.count) + time
  }

  @Test func `the start tells how many are current`() {
    let names = Frames.twenty
    let events =
      [Frames.batch([], names, cause: "start"), Frames.image("cart", .loaded, bytes: 5)]
      + names.dropFirst().map { Frames.image($0, .unchanged) }
      + [Frames.ended(.ok, ok: 20, ms: 1200)]
    #expect(
      Frames.rows(events) == [
        Self.aligned("14:02:11 ✓ start                   20 current (1 loaded, 19 same) 5 B 1.2s")
      ])
  }

  @Test func `one error that holds up twenty images is told once, below the row, and last`() {
    let names = Frames.twenty
    let message = "expected \"METHOD /path text\", found \"GRAB nope\" where a route has to begin"
    let events =
      [Frames.batch(["lib/src/health.routes"], names)]
      + [Frames.error("lib/src/health.routes", 4, message, images: names)]
      + names.map { Frames.image($0, .failed, error: "lib/src/health.routes:4:1: \(message)") }
      + [Frames.ended(.failed, failed: 20, ms: 4200, failedImages: names)]
    #expect(
      Frames.rows(events) == [
        Self.aligned("14:02:11 ✗ health.routes           20 of 20 held up by 1 error 4.2s"),
        "         lib/src/health.routes:4:1: expected \"METHOD /path text\", found \"GRAB",
        "         nope\" where a route has to begin",
        "         cart, catalog, checkout, emails, fraud, web and 14 more · output: key…",
      ])
  }

  @Test func `images that fail for another reason than a compiler's are grouped by it`() {
    let events = [
      Frames.batch(["a/x"], ["cart", "web"]),
      Frames.image("cart", .failed, error: "docker is down", step: "load"),
      Frames.image("web", .failed, error: "docker is down", step: "load"),
      Frames.ended(.failed, failed: 2),
    ]
    let rows = Frames.rows(events)
    #expect(rows.first?.contains("✗ x                       2 of 2 held up by 1 error") == true)
    #expect(rows.dropFirst().first == "         docker is down")
    #expect(rows.last == "         cart, web · output: key l, or `watchbuild logs cart`")
  }

  @Test func `warnings of a good build are told, five of them`() {
    let warnings = (1...7).map { line in
      var event = Frames.error("a.c", line, "unused", images: ["cart"])
      if case .diagnostic(var diagnostic) = event.kind {
        diagnostic.severity = .warning
        event.kind = .diagnostic(diagnostic)
      }
      return event
    }
    let rows = Frames.rows(
      [Frames.batch(["a.c"], ["cart"])] + warnings
        + [Frames.image("cart", .loaded), Frames.ended(.ok, ok: 1)])
    #expect(rows.count == 7)
    #expect(rows[1] == "         a.c:1:1: warning: unused")
    #expect(rows.last == "         and 2 more warnings")
  }

  @Test func `a save that concerns no image, and images that come and go, are a row`() {
    let changed = Event.ImagesChanged(
      added: [.init(name: "pay", target: "//pay")],
      removed: [.init(name: "payments", target: "//payments")])
    let unaffected = Event.Unaffected(
      changes: [.init(path: "README.md", kind: "modified")], changeCount: 1)
    #expect(
      Frames.rows([Frames.event(.unaffected(unaffected)), Frames.event(.images(changed))]) == [
        "14:02:11 · README.md               no image depends on it",
        "14:02:11 ~ images                  −payments +pay",
      ])
  }

  @Test func `a cycle that was cut short is not said to have ended`() {
    let rows = Frames.rows([Frames.batch(["a/x"], ["cart"]), Frames.ended(.cancelled)])
    #expect(
      rows == [
        Self.aligned(
          "14:02:11 ▸ x                       begun anew: another save came 0.7s")
      ])
  }

  @Test func `Bazel's lock is told once a cycle`() {
    let lock = Frames.event(
      .lock(
        Event.LockAwaited(holder: .init(pid: 4711, command: "bazel build //..."), waitedMs: 500)))
    #expect(
      Frames.rows([Frames.batch(["a/x"], ["cart"]), lock, lock, lock]) == [
        "14:02:11 · bazel                   waiting for its lock, held by pid 4711"
      ])
  }

  @Test func `a narrow screen drops sizes, then times`() {
    let events = [
      Frames.batch(["services/fraud/src/fraud.routes"], ["fraud"]),
      Frames.image("fraud", .loaded, ref: "f:dev", bytes: 14_000), Frames.ended(.ok, ok: 1),
    ]
    #expect(
      Frames.rows(events, columns: 59) == [
        "14:02:11 ✓ fraud.routes  fraud → f:dev                0.7s"
      ])
    #expect(Frames.rows(events, columns: 44) == ["✓ fraud.routes  fraud → f:dev          0.7s"])
  }

  @Test func `where there is no footer, what begins is a row`() {
    let rows = Frames.rows(
      [Frames.batch(["a/x"], ["cart", "web"]), Frames.event(.ready)], hasFooter: false)
    #expect(
      rows == [
        "14:02:11 ▸ x                       cart, web …", "14:02:11 · ready",
      ])
  }

  @Test func `nothing in a row can move the cursor`() {
    let events = [
      Frames.batch(["a/\u{1B}[2Jx\n"], ["cart"]),
      Frames.image("cart", .failed, error: "bad \u{1B}]0;title\u{07}", step: "load"),
      Frames.ended(.failed, failed: 1),
    ]
    #expect(!Frames.rows(events).joined().unicodeScalars.contains { $0.value < 0x20 })
  }
}
