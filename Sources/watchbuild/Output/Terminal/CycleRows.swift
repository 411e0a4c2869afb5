import Basics
import Bazel
import Events
import FoundationEssentials

/// The rows that stay on the screen: one for a cycle that went well, more for errors. Pure.
///
/// The saved file comes first, because that is what the person knows.
struct CycleRows: Sendable {
  /// Columns that fit on a row.
  var columns = 80
  /// What is under way is shown below the rows, and needs none of its own.
  var hasFooter = true
  /// Files of diagnostics lie below it; links name it.
  var workspace: String?
  var clock = ClockText()

  private var batch: Event.BatchClosed?
  /// The last word on each image, by runtime and name.
  private var images: [[String?]: Event.ImageChanged] = [:]
  private var warnings: [Event.Diagnosed] = []
  /// The lines of hooks that failed.
  private var hooks: [String] = []
  private var hasToldLock = false

  /// To be given every event, in order.
  ///
  /// - Parameter causes: What went wrong so far in the cycle under way.
  mutating func rows(for event: Event, causes: [StandingErrors.Cause]) -> [StyledText] {
    switch event.kind {
    case .started(let started):
      let name = started.workspace.split(separator: "/").last.map(String.init) ?? "/"
      let runtimes = started.runtimes.isEmpty ? "nowhere" : started.runtimes.joined(separator: ", ")
      let count = Quantity.text(started.images.count, "image")
      return [StyledText("watchbuild \(started.version)  \(name) · \(count) → \(runtimes)")]
    case .watching(let watching):
      return watching.degraded.map { row(event, .warning, "watching", "degraded: \($0)") } ?? []
    case .ready: return hasFooter ? [] : row(event, .note, "ready", "")
    case .unaffected(let unaffected):
      return row(
        event, .note, subject(unaffected.changes, unaffected.changeCount),
        "no image depends on \(unaffected.changeCount == 1 ? "it" : "them")")
    case .images(let changed):
      let names = changed.removed.map { "−" + $0.name } + changed.added.map { "+" + $0.name }
      return row(event, .other, "images", names.joined(separator: " "))
    case .batch(let batch):
      begin(batch)
      guard !hasFooter else { return [] }
      return row(event, .running, subject(batch), Quantity.list(batch.images) + " …")
    case .index(let index) where index.partial:
      return row(
        event, .warning, "index", "known only in part: Bazel could not read every package")
    case .lock(let lock):
      defer { hasToldLock = true }
      guard !hasToldLock else { return [] }
      let holder = lock.holder.map { ", held by pid \($0.pid)" } ?? ""
      return row(event, .note, "bazel", "waiting for its lock\(holder)")
    case .cacheDiscarded(let discarded):
      return PlainOutput().lines(for: event).flatMap {
        row(event, .warning, discarded.option == "server" ? "bazel" : discarded.option, $0)
      }
    case .diagnostic(let diagnostic):
      guard batch == nil else {
        if diagnostic.severity != .error { warnings.append(diagnostic) }
        return []
      }
      // Outside a cycle nothing would show it later.
      return PlainOutput().lines(for: event).flatMap {
        row(event, diagnostic.severity == .error ? .failed : .warning, "", $0)
      }
    case .image(let image):
      images[[image.runtime, image.image]] = image
      return []
    case .hook(let hook):
      if hook.exitCode != 0 || hook.error != nil {
        hooks += PlainOutput().lines(for: event)
      }
      return []
    case .cycle(let ended): return end(event, ended, causes)
    case .degraded(let reason): return row(event, .warning, "", reason)
    case .overflow(let reason):
      return row(event, .warning, "", "changes were lost, looking again: \(reason)")
    case .paused(let reason): return row(event, .note, "paused", reason)
    case .resumed(let reason): return row(event, .note, "resumed", reason)
    case .stopping(let reason): return row(event, .note, "stopping", reason)
    case .missed: return PlainOutput().lines(for: event).flatMap { row(event, .warning, "", $0) }
    case .activity, .index, .build, .progress, .rollout: return []
    }
  }

  private mutating func begin(_ batch: Event.BatchClosed) {
    self.batch = batch
    (images, warnings, hooks, hasToldLock) = ([:], [], [], false)
  }

  // MARK: The end of a cycle

  private mutating func end(
    _ event: Event, _ ended: Event.CycleEnded, _ causes: [StandingErrors.Cause]
  ) -> [StyledText] {
    defer { batch = nil }
    let subject = batch.map(subject) ?? ""
    let time = Quantity.seconds(ended.timings.totalMs)
    guard ended.status != .cancelled else {
      return row(event, .running, subject, "begun anew: another save came", time)
    }
    let isWell = ended.status == .ok && ended.failed + ended.heldUp == 0
    let summary = CycleSummary(Array(images.values), of: batch)
    var rows = row(
      event, isWell ? .well : .failed, subject,
      isWell ? summary.text : summary.broken(ended, by: max(causes.count, 1)), time,
      size: summary.size)
    for warning in warnings.prefix(5) {
      rows += ErrorRows.rows(for: warning, columns: columns)
    }
    if warnings.count > 5 {
      rows.append(
        StyledText(ErrorRows.indent + "and \(warnings.count - 5) more warnings", .warning))
    }
    if !isWell {
      rows += ErrorRows.rows(
        for: causes, columns: columns, workspace: workspace)
    }
    return rows + hooks.map { StyledText(ErrorRows.indent + $0, .failure) }
  }

  private func subject(_ batch: Event.BatchClosed) -> String {
    batch.cause == "change" ? subject(batch.changes, batch.changeCount) : batch.cause
  }

  private func subject(_ changes: [Event.BatchClosed.Change], _ count: Int) -> String {
    guard let first = changes.first else { return "changes" }
    let name = first.path.split(separator: "/").last.map(String.init) ?? first.path
    return count > 1 ? "\(name) +\(count - 1)" : name
  }

  // MARK: Layout

  /// A sign says by its form what its colour says.
  enum Sign: String {
    case well = "✓"
    case failed = "✗"
    case warning = "!"
    case note = "·"
    case other = "~"
    case running = "▸"

    var color: TextColor? {
      switch self {
      case .well: .success
      case .failed: .failure
      case .warning: .warning
      case .note, .other, .running: nil
      }
    }
  }

  private static let subjectColumns = 22

  private func row(
    _ event: Event, _ sign: Sign, _ subject: String, _ text: String, _ time: String? = nil,
    size: String? = nil
  ) -> [StyledText] {
    // Where there is little room, sizes go first, and then times.
    let isNarrow = columns < 60
    let clock = columns < 45 && hasFooter ? "" : self.clock.text(event.time) + " "
    var subject = StyledText(subject)
    subject = isNarrow ? subject : subject.cut(to: Self.subjectColumns + 8)
    let begin =
      StyledText(clock) + StyledText(sign.rawValue + " ", sign.color)
      + (text.isEmpty || isNarrow ? subject : subject.padded(to: Self.subjectColumns))
    let separator = subject.plain.isEmpty || text.isEmpty ? "" : "  "
    let whole = text + (isNarrow ? "" : size.map { " \($0)" } ?? "")
    // A long text goes on below its beginning.
    let column = min(begin.columns + separator.count, columns / 2)
    let lines = TextColumns.wrapped(
      Terminal.escaped(whole),
      first: columns - begin.columns - separator.count - (time.map { $0.count + 2 } ?? 0) - 1,
      others: columns - column - 1)
    var first = begin + StyledText(separator + lines[0])
    if let time { first = StyledText.between(first, StyledText(time), columns: columns - 1) }
    return [first]
      + lines.dropFirst().map { StyledText(String(repeating: " ", count: column) + $0) }
  }
}

/// Writes the time of day of this machine.
struct ClockText: Sendable {
  /// Seconds east of UTC at a moment, given in seconds since 1970.
  var offset: @Sendable (Double) -> Int = LocalTime.offset

  func text(_ date: Date) -> String {
    let seconds = date.timeIntervalSince1970
    let local = (Int(seconds) + offset(seconds)) % 86_400
    let day = local < 0 ? local + 86_400 : local
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(two(day / 3600)):\(two(day / 60 % 60)):\(two(day % 60))"
  }
}
