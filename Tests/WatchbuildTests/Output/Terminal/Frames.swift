import Basics
import Batching
import Bazel
import Events
import FoundationEssentials
import SystemPackage
import Watcher

@testable import Runner
@testable import watchbuild

/// Events and states of a made-up run, for the tests of what a terminal shows of it.
enum Frames {
  /// 14:02:11 UTC on some day.
  static let start = Date(timeIntervalSince1970: 86_400 * 20_000 + 50_531)
  static let utc = ClockText(offset: { _ in 0 })

  static let twenty =
    ["cart", "catalog", "checkout", "emails", "fraud", "web"] + (1...14).map { "svc\($0)" }

  static func event(_ kind: Event.Kind, cycle: Int? = 1, after seconds: Double = 0) -> Event {
    Event(sequence: 1, time: start.addingTimeInterval(seconds), cycle: cycle, kind: kind)
  }

  static func batch(
    _ paths: [String], _ images: [String], cause: String = "change"
  ) -> Event {
    event(
      .batch(
        Event.BatchClosed(
          cause: cause, changes: paths.map { .init(path: $0, kind: "modified") },
          changeCount: paths.count, images: images, windowMs: 30)))
  }

  static func image(
    _ name: String, _ status: Event.ImageChanged.Status, ref: String? = nil, bytes: Int64? = nil,
    error: String? = nil, step: String? = nil, after seconds: Double = 0
  ) -> Event {
    event(
      .image(
        Event.ImageChanged(
          image: name, target: "//services/\(name):image.tar", status: status, ref: ref,
          runtime: status == .built ? nil : "docker", step: step, bytesSent: bytes, error: error)),
      after: seconds)
  }

  static func error(
    _ file: String, _ line: Int, _ message: String, images: [String], column: Int? = 1
  ) -> Event {
    let diagnostic = Diagnostic(
      file: file, line: line, column: column, severity: .error, message: message)
    return event(.diagnostic(Event.Diagnosed(diagnostic, image: nil, images: images)))
  }

  static func ended(
    _ status: Event.CycleEnded.Status, ok: Int = 0, failed: Int = 0, heldUp: Int = 0,
    ms: Int = 700, failedImages: [String] = []
  ) -> Event {
    var timings = Event.CycleEnded.Timings()
    timings.totalMs = ms
    timings.bazelMs = ms - 100
    return event(
      .cycle(
        Event.CycleEnded(
          status: status, ok: ok, failed: failed, heldUp: heldUp, failedImages: failedImages,
          timings: timings, bazelCommands: 1)))
  }

  /// The rows that a run of events leaves on the screen.
  static func rows(_ events: [Event], columns: Int = 80, hasFooter: Bool = true) -> [String] {
    var rows = CycleRows()
    var errors = StandingErrors()
    rows.columns = columns
    rows.hasFooter = hasFooter
    rows.clock = utc
    return events.flatMap { event in
      let causes = errors.causesOfCycle
      errors.add(event)
      return rows.rows(for: event, causes: causes).map(\.plain)
    }
  }

  static func snapshot(
    _ names: [String], owed: [String: DebtReason] = [:], building: [String]? = nil,
    path: String = "/shop/lib/errors.routes"
  ) -> LoopState.Snapshot {
    var snapshot = LoopState.Snapshot()
    snapshot.isReady = true
    snapshot.images = names.map { name in
      LoopState.Snapshot.Image(
        name: name, target: "//services/\(name):image.tar", references: ["shop/\(name):dev"],
        workspace: "/shop", isFound: true, owed: owed[name])
    }
    if let building {
      snapshot.activity = .building(
        LoopState.Snapshot.Cycle(
          number: 7, cause: .change,
          changes: [FileChange(path: FilePath(path), kind: .modified)], changeCount: 1,
          images: building, isInterrupted: false, lock: nil))
    }
    return snapshot
  }

  static func footer(_ snapshot: LoopState.Snapshot, seconds: Double = 0) -> Footer {
    var footer = Footer(began: start, now: start.addingTimeInterval(seconds))
    footer.snapshot = snapshot
    footer.clock = utc
    return footer
  }
}

extension Footer {
  func plain(columns: Int = 80, height: Int = 24) -> [String] {
    rows(columns: columns, height: height).map(\.plain)
  }
}
