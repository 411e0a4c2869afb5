import Basics
import Events
import Settings
import Synchronization
import SystemPackage

/// Shows events: lines on standard error, or JSON Lines on standard output.
final class EventOutput: Sendable {
  private enum Form: Sendable {
    case lines(PlainOutput)
    case terminal(PlainOutput)
    case json
  }

  private struct State {
    var progress = ProgressLine()
    var cycle = CycleLines()
    var retries = QuietRetries()
    var bell: Bell
  }

  private let form: Form
  private let stream: OutputStream
  /// Whether the screen is cleared when a cycle begins.
  private let clears: Bool
  private let state: Mutex<State>

  private init(
    _ form: Form, _ stream: OutputStream, bell: BellChoice = .never, clears: Bool = false
  ) {
    self.form = form
    self.stream = stream
    self.clears = clears
    state = Mutex(State(bell: Bell(bell)))
  }

  convenience init(_ settings: Settings) {
    guard settings.output != .json else {
      self.init(json: .standardOutput)
      return
    }
    let lines = PlainOutput(verbosity: settings.verbosity, usesColor: settings.usesColor)
    let stream = OutputStream.standardError
    // A cursor is moved only where there is one, and what is wanted quiet stays so.
    let isTerminal = Terminal.isTerminal(stream.descriptor.rawValue)
    let isWrittenOver = isTerminal && settings.output == .tty && settings.verbosity == .normal
    self.init(
      isWrittenOver ? .terminal(lines) : .lines(lines), stream,
      bell: isTerminal ? settings.bell : .never, clears: isTerminal && settings.clears)
  }

  /// Lines on a stream that is a terminal.
  convenience init(
    _ lines: PlainOutput, terminal stream: OutputStream, bell: BellChoice = .never,
    clears: Bool = false
  ) {
    self.init(.terminal(lines), stream, bell: bell, clears: clears)
  }

  /// JSON Lines to a stream, each written at once.
  convenience init(json stream: OutputStream) {
    self.init(.json, stream)
  }

  /// Writes one event, without delay; to be called in the order of the events.
  ///
  /// - Throws: `OutputClosed` when nobody reads any more: a reason to stop, not to fail.
  func write(_ event: Event) throws {
    switch form {
    case .lines(let output):
      try write(event, output) { try stream.write(lines: $0) }
    case .terminal(let output):
      try write(event, output) { try write($0, after: event) }
    case .json: try stream.write(json: event.json())
    }
  }

  private func write(
    _ event: Event, _ output: PlainOutput, _ write: ([String]) throws -> Void
  ) throws {
    let events = shown(event, output)
    try begin(events)
    try write(events.flatMap(output.lines))
    try ring(events)
  }

  /// All of them where everything is asked for.
  private func shown(_ event: Event, _ output: PlainOutput) -> [Event] {
    if output.verbosity == .verbose { return [event] }
    return state.withLock { state in
      state.retries.shown(event).flatMap { state.cycle.shown($0) }
    }
  }

  /// A cycle begins on an empty screen where that is wanted.
  private func begin(_ events: [Event]) throws {
    guard clears, events.contains(where: { if case .batch = $0.kind { true } else { false } })
    else { return }
    try stream.write(Array(Terminal.clearScreen.utf8))
  }

  private func ring(_ events: [Event]) throws {
    let rings = state.withLock { state in
      // Each has to be followed, also where an earlier one rings.
      events.map { state.bell.rings(at: $0) }.contains(true)
    }
    if rings { try stream.write(Array(Bell.sound.utf8)) }
  }

  /// Lines that stay, above the one that is written over.
  private func write(_ lines: [String], after event: Event) throws {
    let (old, new) = state.withLock { state in
      let old = state.progress.text
      state.progress.add(event)
      return (old, state.progress.text)
    }
    guard old != new || !lines.isEmpty else { return }
    var text = old == nil ? "" : Terminal.clearLine
    for line in lines { text += line + "\n" }
    // One that wraps could not be written over.
    if let new { text += new.prefix(Terminal.width(stream.descriptor.rawValue) - 1) }
    if !text.isEmpty { try stream.write(Array(text.utf8)) }
  }
}
