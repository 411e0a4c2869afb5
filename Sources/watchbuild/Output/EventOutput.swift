import Runner

/// Shows events: lines on standard error, or JSON Lines on standard output.
struct EventOutput: Sendable {
  private enum Form: Sendable {
    case lines(PlainOutput)
    case json
  }

  private let form: Form
  private let stream: OutputStream

  init(_ settings: Settings) {
    switch settings.output {
    case .json:
      form = .json
      stream = .standardOutput
    case .tty, .plain:
      form = .lines(
        PlainOutput(verbosity: settings.verbosity, usesColor: settings.usesColor))
      stream = .standardError
    }
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
    case .lines(let output): try stream.write(lines: output.lines(for: event))
    case .json: try stream.write(event.json() + [UInt8(ascii: "\n")])
    }
  }
}
