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

  private let form: Form
  private let stream: OutputStream
  private let state = Mutex(State())

  private struct State {
    var progress = ProgressLine()
    var cycle = CycleLines()
    var retries = QuietRetries()
  }

  init(_ settings: Settings) {
    switch settings.output {
    case .json:
      form = .json
      stream = .standardOutput
    case .tty, .plain:
      let lines = PlainOutput(verbosity: settings.verbosity, usesColor: settings.usesColor)
      stream = .standardError
      // A cursor is moved only where there is one, and what is wanted quiet stays so.
      let isTerminal = settings.output == .tty && Terminal.isTerminal(stream.descriptor.rawValue)
      form = isTerminal && settings.verbosity == .normal ? .terminal(lines) : .lines(lines)
    }
  }

  /// Lines on a stream that is a terminal.
  init(_ lines: PlainOutput, terminal stream: OutputStream) {
    form = .terminal(lines)
    self.stream = stream
  }

  /// JSON Lines to a stream, each written at once.
  init(json stream: OutputStream) {
    form = .json
    self.stream = stream
  }

  /// Writes one event, without delay; to be called in the order of the events.
  ///
  /// - Throws: `OutputClosed` when nobody reads any more: a reason to stop, not to fail.
  func write(_ event: Event) throws {
    switch form {
    case .lines(let output): try stream.write(lines: shown(event, output).flatMap(output.lines))
    case .terminal(let output):
      try write(shown(event, output).flatMap(output.lines), after: event)
    case .json: try stream.write(json: event.json())
    }
  }

  /// All of them where everything is asked for.
  private func shown(_ event: Event, _ output: PlainOutput) -> [Event] {
    if output.verbosity == .verbose { return [event] }
    return state.withLock { state in
      state.retries.shown(event).flatMap { state.cycle.shown($0) }
    }
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
