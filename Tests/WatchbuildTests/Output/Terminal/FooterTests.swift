import Basics
import Events
import FoundationEssentials
import Testing

@testable import Runner
@testable import watchbuild

@Suite struct FooterTests {
  private let line = String(repeating: "─", count: 79)

  @Test func `at rest it says that all are current`() {
    #expect(
      Frames.footer(Frames.snapshot(["cart", "web"])).plain() == [
        line, "● ALL 2 CURRENT",
        "✓ 2 of 2 current                        bell off · r rebuild · e errors · l log",
        "p pause · i images · t timings · c clear · ? help · q quit",
      ])
  }

  @Test func `a build shows count, time, what is usual, what runs, and what waits`() {
    var snapshot = Frames.snapshot(
      Frames.twenty, owed: ["cart": .unfinished, "web": .unfinished], building: ["cart", "web"])
    snapshot.waitingChanges = 1
    var footer = Frames.footer(snapshot, seconds: 14)
    footer.activity = Event.Activity(
      phase: .build, done: 3, total: 6,
      running: [
        .init(what: "//services/cart:cart Routes", ms: 9000),
        .init(what: "//services/web:image Image", ms: 2000),
      ], queued: ["services/web/src/web.routes"], elapsedMs: 14_000, usualMs: 13_000)
    let rows = footer.plain(columns: 120)
    #expect(
      rows[1]
        == "● BUILDING 2 images · 14.0s, usually 13.0s · █████████░░░░░░░░░ 3 of 6 · 1 save queued: web.routes"
    )
    #expect(
      rows[2]
        == "  running  //services/cart:cart Routes 9.0s · //services/web:image Image 2.0s")
  }

  @Test func `before the first second of a build it names the file and the images`() {
    let footer = Frames.footer(
      Frames.snapshot(Frames.twenty, building: ["cart", "catalog", "checkout"]), seconds: 0.3)
    #expect(
      footer.plain()[1...2] == [
        "● BUILDING 3 images · 0.3s", "▸ errors.routes  cart, catalog, checkout …",
      ])
  }

  @Test func `what is broken stays, with the time since when`() {
    var footer = Frames.footer(
      Frames.snapshot(
        Frames.twenty, owed: ["cart": .buildFailed, "emails": .loadFailed(["docker"])]), seconds: 60
    )
    footer.broken = ["cart": .init(since: Frames.start, errors: 1)]
    footer.snapshot.retries = [
      .init(
        lane: .runtime("docker"), images: ["emails"], time: Frames.start.timeIntervalSince1970 + 68)
    ]
    let rows = footer.plain(columns: 100)
    #expect(rows[1] == "● 1 BROKEN: cart")
    #expect(
      rows[2]
        == "✗ cart — 1 error since 14:02:11   ◌ emails — docker did not take it   next try in 8 s")
    #expect(rows[3].hasPrefix("✓ 18 of 20 current"))
  }

  @Test func `an error that is mended is not shown any more, whatever events said`() {
    var footer = Frames.footer(Frames.snapshot(["cart"]))
    footer.broken = ["cart": .init(since: Frames.start, errors: 1)]
    #expect(footer.title == "ALL 1 CURRENT")
    #expect(!footer.plain().joined().contains("✗"))
  }

  @Test func `before the images are known it is starting, and says what Bazel does`() {
    var footer = Frames.footer(LoopState.Snapshot(), seconds: 3.2)
    #expect(
      footer.plain().prefix(3) == [line, "● STARTING · 3.2s", "  asking Bazel for the images"])
    footer.activity = Event.Activity(
      phase: .start, done: 0, total: 0,
      running: [.init(what: "Starting local Bazel server", ms: 3100)], queued: [],
      elapsedMs: 3200)
    #expect(footer.plain()[2] == "  running  Starting local Bazel server 3.1s")
  }

  @Test func `a pause and a manual run say what they wait for`() {
    var snapshot = Frames.snapshot(["cart"])
    snapshot.isPaused = true
    snapshot.waitingChanges = 2
    var footer = Frames.footer(snapshot)
    #expect(footer.plain()[1] == "● PAUSED · 2 saves noted")
    #expect(footer.plain().last?.hasPrefix("p resume · ") == true)
    footer.snapshot.isPaused = false
    footer.snapshot.isManual = true
    #expect(footer.plain()[1] == "● ALL 1 CURRENT · 2 saves noted · a build is made when asked for")
  }

  @Test(arguments: [20, 59, 60, 80, 132], [["cart"], Frames.twenty])
  func `no row is as wide as the terminal`(columns: Int, names: [String]) {
    var footer = Frames.footer(
      Frames.snapshot(names, owed: ["cart": .heldUp(by: "日本語の長い名前 🚀")], building: names), seconds: 9
    )
    footer.broken = ["cart": .init(since: Frames.start, errors: 3)]
    let rows = footer.rows(columns: columns, height: 24)
    #expect(!rows.isEmpty && rows.count <= 6)
    for row in rows { #expect(row.columns < columns, "\(row.plain)") }
  }

  @Test func `a low terminal has none, a narrow one no keys`() {
    let footer = Frames.footer(Frames.snapshot(["cart"]))
    #expect(footer.plain(height: 9).isEmpty)
    #expect(footer.plain(columns: 59).last == "✓ 1 of 1 current")
  }
}
