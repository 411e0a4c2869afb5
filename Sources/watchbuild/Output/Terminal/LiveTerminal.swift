import Basics
import Events
import FoundationEssentials
import Glibc
import Runner
import Settings
import Synchronization
import SystemPackage

/// The screen of `dev` on a terminal: rows that stay, live rows below them, and keys.
///
/// Events come on their reader's thread; a thread of its own reads keys and draws what changes with time.
/// A terminal that takes nothing blocks these two and nothing else.
final class LiveTerminal: Sendable {
  /// The run that is shown, and what keys ask of it.
  struct Run: Sendable {
    var snapshot: @Sendable () -> LoopState.Snapshot
    var degraded: @Sendable () -> [String]
    /// Does what a key means, without waiting.
    var press: @Sendable (TerminalKey) -> Void
    /// The lines that are kept of an image's failed actions; `nil`: none.
    var log: @Sendable (String) -> [String]?
  }

  struct State {
    var run: Run?
    var page: TerminalPage
    var rows = CycleRows()
    var errors = StandingErrors()
    var retries = QuietRetries()
    var bell: Bell
    var timings = TimingRows()
    var activity: Event.Activity?
    var began = Date()
    var hasKeys = false
    var isStopping = false
    var hasEnded = false
    /// Not in the terminal's foreground: no footer.
    var isBehind = false
    /// Nobody reads any more.
    var isClosed = false
  }

  private let stream: OutputStream
  private let clears: Bool
  private let bellText: String
  let workspace: String
  private let wake: TerminalBell
  let state: Mutex<State>

  /// - Returns: `nil` where no live screen is wanted, or standard error is no terminal.
  /// - Throws: `Errno` where the system has no descriptor or thread left.
  static func open(_ settings: Settings, environment: [String: String]) throws -> LiveTerminal? {
    let stream = OutputStream.standardError
    guard settings.output == .tty, settings.verbosity == .normal,
      // Lines of the debug log go the same way.
      environment[DebugLog.variable, default: ""].isEmpty,
      Terminal.isTerminal(stream.descriptor.rawValue)
    else { return nil }
    let kind = environment["TERM", default: ""]
    return try LiveTerminal(
      settings, stream, isCapable: !kind.isEmpty && kind != "dumb")
  }

  private init(_ settings: Settings, _ stream: OutputStream, isCapable: Bool) throws {
    self.stream = stream
    clears = settings.clears
    bellText = settings.bell == .never ? "bell off" : "bell on"
    workspace = settings.workspace.string
    wake = try TerminalBell()
    var first = State(
      page: TerminalPage(usesColor: settings.usesColor && isCapable, isCapable: isCapable),
      bell: Bell(settings.bell))
    first.isBehind = Self.isBehind
    state = Mutex(first)
    if isCapable {
      TerminalModes.giveBackAfterCrash()
      wake.followSignals()
      let hasKeys = TerminalModes.take()
      state.withLock { state in
        state.hasKeys = hasKeys
        put(state.page.opening, &state)
        draw([], &state)
      }
      try OwnThread.start { self.attend() }
    }
  }

  /// Another program has the terminal.
  static var isBehind: Bool {
    let group = tcgetpgrp(STDERR_FILENO)
    return group > 0 && group != getpgrp()
  }

  // MARK: Called by others

  /// Shows a run's state from now on, and has keys ask of it.
  func show(_ run: Run) {
    state.withLock { $0.run = run }
    wake.ring(.news)
  }

  /// Shows an event; to be called in the order of the events. It may block.
  ///
  /// - Throws: `OutputClosed` when nobody reads any more.
  func write(_ event: Event) throws {
    let isClosed = state.withLock { state in
      for event in state.retries.shown(event) { add(event, &state) }
      return state.isClosed
    }
    if isClosed { throw OutputClosed(reason: .ioError) }
    wake.ring(.news)
  }

  /// Shows a line that stays.
  func say(_ line: String) { state.withLock { draw([StyledText(line)], &$0) } }

  /// Gives the terminal back. Does not wait for one that takes nothing.
  func end() {
    TerminalModes.giveBack()
    wake.ring(.end)
    for _ in 0..<20 {
      let isDone = state.withLockIfAvailable { state in
        guard !state.hasEnded else { return true }
        state.hasEnded = true
        var text = state.page.textWithoutFooter(columns: columns) + state.page.closing
        let broken = brokenNames(state)
        if !broken.isEmpty { text += "still broken: \(Terminal.escaped(Quantity.list(broken)))\n" }
        stream.write(last: text, newline: false)
        return true
      }
      if isDone == true { return }
      usleep(10_000)
    }
  }

  // MARK: Events

  private func add(_ event: Event, _ state: inout State) {
    let causes = state.errors.causesOfCycle
    state.errors.add(event)
    state.timings.add(event)
    state.rows.columns = columns
    state.rows.workspace = workspace
    state.rows.hasFooter = showsFooter(state)
    switch event.kind {
    case .activity(let activity): state.activity = activity
    case .batch(let batch):
      state.activity = nil
      state.began = event.time.addingTimeInterval(-Double(batch.windowMs) / 1000)
      if clears { put(state.page.cleared(), &state) }
    case .cycle, .ready: state.activity = nil
    case .stopping: state.isStopping = true
    default: break
    }
    let rows = state.rows.rows(for: event, causes: causes)
    if !rows.isEmpty { draw(rows, &state) }
    if state.bell.rings(at: event) { put(Bell.sound, &state) }
  }

  func brokenNames(_ state: State) -> [String] {
    let owed = state.run.map { Set($0.snapshot().owed.map(\.name)) }
    return state.errors.broken.keys.filter { owed?.contains($0) ?? true }.sorted()
  }

  // MARK: Drawing

  var columns: Int { Terminal.width(stream.descriptor.rawValue) }

  private var height: Int { Terminal.height(stream.descriptor.rawValue) }

  private func showsFooter(_ state: State) -> Bool {
    state.page.isCapable && !state.isBehind && !state.hasEnded
      && Footer.fits(columns: columns, height: height)
  }

  private func live(_ state: State) -> Footer {
    var footer = Footer(began: state.began, now: Date())
    if let run = state.run {
      footer.snapshot = run.snapshot()
      footer.degraded = run.degraded()
    }
    footer.activity = state.activity
    footer.broken = state.errors.broken
    footer.isStopping = state.isStopping
    footer.hasKeys = state.hasKeys
    footer.bell = bellText
    return footer
  }

  func draw(_ rows: [StyledText], _ state: inout State) {
    guard !state.hasEnded else { return }
    let live = showsFooter(state) ? live(state) : nil
    put(
      state.page.text(
        adding: rows, footer: live?.rows(columns: columns, height: height) ?? [], columns: columns,
        title: live.map { "\($0.title) · watchbuild" } ?? ""), &state)
  }

  func put(_ text: String, _ state: inout State) {
    guard !text.isEmpty, !state.isClosed else { return }
    do {
      try stream.write(Array(text.utf8))
    } catch {
      state.isClosed = true
    }
  }

  // MARK: The thread

  /// Reads keys, and draws what changes with time: until the end.
  private func attend() {
    while true {
      let (hasKeys, isBusy, isWaiting) = state.withLock { state in
        let live = live(state)
        let snapshot = live.snapshot
        // No event tells of saves that are only noted.
        let isHeld = snapshot.isPaused || snapshot.isManual
        return (state.hasKeys, live.isBusy, isHeld || !snapshot.retries.isEmpty)
      }
      var waiting = [pollfd(fd: wake.readEnd.rawValue, events: Int16(POLLIN), revents: 0)]
      if hasKeys { waiting.append(pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)) }
      // At rest there is nothing to wake up for.
      poll(&waiting, nfds_t(waiting.count), isBusy ? 200 : isWaiting ? 1000 : -1)
      let rings = wake.heard()
      if rings.contains(.end) { return }
      if rings.contains(.continued) { continued() }
      if hasKeys, waiting[1].revents != 0 { readKeys() }
      state.withLock { draw([], &$0) }
      // At most ten frames a second; the snapshot may come a moment behind its event.
      usleep(100_000)
    }
  }
}
