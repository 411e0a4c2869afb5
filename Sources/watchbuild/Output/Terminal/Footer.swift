import Basics
import Batching
import Events
import FoundationEssentials
import Runner
import SystemPackage
import Watcher

/// The live rows below the scrollback: is it working, on what, how long still; what is broken; what is
/// owed and why; how many images are current; what can be pressed. Pure.
struct Footer: Sendable {
  var snapshot = LoopState.Snapshot()
  /// The newest word on what runs; `nil`: nothing has run for a second.
  var activity: Event.Activity?
  /// When the cycle under way, or the run, began.
  var began: Date
  var now: Date
  var broken: [String: StandingErrors.Broken] = [:]
  var degraded: [String] = []
  var isStopping = false
  /// Keys are read.
  var hasKeys = true
  var bell = "bell off"
  var clock = ClockText()

  /// Tells whether a terminal has room for it.
  static func fits(columns: Int, height: Int) -> Bool { height >= 10 && columns >= 20 }

  /// - Returns: At most six rows, each narrower than the terminal; none where it is too low for them.
  func rows(columns: Int, height: Int) -> [StyledText] {
    guard Self.fits(columns: columns, height: height) else { return [] }
    let width = columns - 1
    var rows = [StyledText(String(repeating: "─", count: width)), state(width)]
    rows += [running(width), trouble(width)].compactMap { $0 }
    return (rows + keys(width)).map { $0.cut(to: width) }
  }

  /// The state in few words: also the window's title.
  var title: String {
    if isStopping { return "stopping" }
    switch snapshot.activity {
    case .building(let cycle):
      if cycle.lock != nil || activity?.phase == .lock { return "waiting for Bazel's lock" }
      let phase =
        switch activity?.phase {
        case .load: "LOADING"
        case .rollout: "ROLLING OUT"
        default: "BUILDING"
        }
      return "\(phase) \(Quantity.text(cycle.images.count, "image"))"
    case .reading: return "ASKING BAZEL"
    case .idle: break
    }
    if snapshot.images.isEmpty { return "STARTING" }
    if snapshot.isPaused { return "PAUSED" }
    let names = standing.map(\.name)
    if !names.isEmpty { return "\(names.count) BROKEN: \(Quantity.list(names))" }
    if !snapshot.owed.isEmpty { return "\(snapshot.owed.count) OWED" }
    return "ALL \(snapshot.images.count) CURRENT"
  }

  // MARK: Rows

  private func state(_ width: Int) -> StyledText {
    let color: TextColor? =
      isStopping || isBusy || snapshot.isPaused || !snapshot.owed.isEmpty ? .warning : .success
    let sign = StyledText("● ", standing.isEmpty ? color : .failure)
    var text = StyledText(title)
    guard isBusy, !isStopping else {
      let waiting = snapshot.waitingChanges
      if waiting > 0 { text += StyledText(" · \(Quantity.text(waiting, "save")) noted") }
      if snapshot.isManual { text += StyledText(" · a build is made when asked for") }
      return sign + text
    }
    text += StyledText(" · " + elapsed)
    if let usual = activity?.usualMs { text += StyledText(", usually \(Quantity.seconds(usual))") }
    if let bar { text += StyledText(" · " + bar) }
    let queued = activity?.queued ?? []
    if snapshot.waitingChanges > 0 || !queued.isEmpty {
      let count = max(snapshot.waitingChanges, queued.count)
      let names = queued.isEmpty ? "" : ": " + Quantity.list(queued.map(Self.name))
      text += StyledText(" · \(Quantity.text(count, "save")) queued\(names)")
    }
    return sign + text
  }

  private func running(_ width: Int) -> StyledText? {
    guard isBusy else { return nil }
    let work = activity?.running ?? []
    if !work.isEmpty {
      let texts = work.prefix(3).map { "\($0.what) \(Quantity.seconds($0.ms))" }
      return StyledText("  running  " + texts.joined(separator: " · "))
    }
    guard case .building(let cycle) = snapshot.activity else {
      return snapshot.images.isEmpty ? StyledText("  asking Bazel for the images") : nil
    }
    let subject =
      cycle.changes.first.map { Self.name($0.path.string) } ?? cycle.cause.rawValue
    return StyledText("▸ \(subject)  \(Quantity.list(cycle.images)) …")
  }

  private func trouble(_ width: Int) -> StyledText? {
    var parts: [StyledText] = []
    let standing = standing
    // Images that one save broke stand together.
    let groups = Dictionary(grouping: standing) {
      "\(clock.text($0.broken.since)) \($0.broken.errors)"
    }.values.sorted { ($0[0].broken.since, $0[0].name) < ($1[0].broken.since, $1[0].name) }
    for group in groups.prefix(2) {
      let broken = group[0].broken
      let names = group.prefix(3).map(\.name).joined(separator: ", ")
      let more = group.count > 3 ? " +\(group.count - 3)" : ""
      let count = broken.errors > 0 ? Quantity.text(broken.errors, "error") : "failed"
      parts.append(
        StyledText("✗ ", .failure)
          + StyledText("\(names)\(more) — \(count) since \(clock.text(broken.since))"))
    }
    if groups.count > 2 { parts.append(StyledText("and more: key e", .failure)) }
    let broken = Set(standing.map(\.name))
    // What is being made now is no debt that anybody waits for.
    let owed = isBusy ? [] : snapshot.owed.filter { !broken.contains($0.name) }
    if let first = owed.first, let reason = first.owed {
      let more = owed.count > 1 ? " +\(owed.count - 1)" : ""
      parts.append(
        StyledText("◌ ", .warning) + StyledText("\(first.name)\(more) — \(OwedText.text(reason))"))
    }
    if let next = snapshot.retries.compactMap(\.time).min(), !isBusy {
      let seconds = max(0, Int((next - now.timeIntervalSince1970).rounded(.up)))
      parts.append(StyledText("next try in \(seconds) s"))
    }
    if parts.isEmpty, let reason = degraded.last { parts = [StyledText("! \(reason)", .warning)] }
    return parts.isEmpty ? nil : parts.dropFirst().reduce(parts[0]) { $0 + StyledText("   ") + $1 }
  }

  private func keys(_ width: Int) -> [StyledText] {
    let count = snapshot.images.count
    let current = count - snapshot.owed.count
    let text =
      count == 0
      ? StyledText("")
      : StyledText("✓ ", current == count ? .success : nil)
        + StyledText("\(current) of \(count) current")
    guard hasKeys, width >= 59 else { return count == 0 ? [] : [text] }
    return [
      StyledText.between(
        text, StyledText("\(bell) · r rebuild · e errors · l log"), columns: width),
      StyledText(
        (snapshot.isPaused ? "p resume" : "p pause")
          + " · i images · t timings · c clear · ? help · q quit"),
    ]
  }

  // MARK: Parts

  /// Something runs, so that time passes on the screen.
  var isBusy: Bool {
    if snapshot.images.isEmpty { return true }
    switch snapshot.activity {
    case .idle: return false
    case .reading, .building: return true
    }
  }

  /// Images that are broken still, by name.
  private var standing: [(name: String, broken: StandingErrors.Broken)] {
    let owed = Set(snapshot.owed.map(\.name))
    return broken.filter { owed.contains($0.key) }.sorted { $0.key < $1.key }
      .map { ($0.key, $0.value) }
  }

  private var elapsed: String {
    Quantity.seconds(Int(now.timeIntervalSince(began) * 1000))
  }

  private static let barColumns = 18

  private var bar: String? {
    guard let activity, activity.total > 0 else { return nil }
    let done = min(Self.barColumns, Self.barColumns * activity.done / activity.total)
    return String(repeating: "█", count: done)
      + String(repeating: "░", count: Self.barColumns - done)
      + " \(activity.done) of \(activity.total)"
  }

  private static func name(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}

/// Reasons of debts, in few words.
enum OwedText {
  static func text(_ reason: DebtReason) -> String {
    switch reason {
    case .change(let path): "\(path.lastComponent?.string ?? path.string) changed"
    case .cause(let cause):
      switch cause {
      case .start: "not built yet"
      case .change: "files changed"
      case .trigger: "asked for"
      case .overflow: "changes were lost"
      case .configuration: "the configuration changed"
      case .retry: "tried again"
      }
    case .buildFailed: "its build failed"
    case .bazelFailed: "Bazel failed"
    case .loadFailed(let runtimes): "\(runtimes.joined(separator: ", ")) did not take it"
    case .rolloutFailed(let target): "\(target) does not run it"
    case .heldUp(let other): "waits for \(other ?? "another image")"
    case .unfinished: "the build ended before it"
    }
  }
}
