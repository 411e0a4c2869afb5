import Processes
import Synchronization
import SystemPackage

/// A build's record and event file, fed from two sides.
final class BuildSession: Sendable {
  private struct State {
    var record: BuildRecord
    var printed = PrintedOutput()
    var file: EventFile
    var watch = SilenceWatch()
    var patience = ClientPatience()
  }

  private let state: Mutex<State>
  private let elapsed: @Sendable () -> Duration
  private let look: @Sendable (Int32?) -> ServerActivity?
  private let update: @Sendable (BuildUpdate) -> Void

  /// - Parameters:
  ///   - elapsed: Since the command's start.
  ///   - look: What the kernel tells of the server, where that is known or can be found.
  init(
    record: BuildRecord, file: EventFile, elapsed: @escaping @Sendable () -> Duration,
    look: @escaping @Sendable (Int32?) -> ServerActivity?,
    update: @escaping @Sendable (BuildUpdate) -> Void
  ) {
    state = Mutex(State(record: record, file: file))
    self.elapsed = elapsed
    self.look = look
    self.update = update
  }

  func addError(_ bytes: [UInt8]) {
    state.withLock { state in
      state.watch.heard(at: elapsed())
      // Before what it means, so that it is kept when that is told.
      state.printed.add(bytes).map(BuildUpdate.init).forEach(update)
      state.record.addError(bytes, at: elapsed()).forEach(update)
    }
  }

  /// Reads what Bazel has added since the last call.
  func readEvents() {
    state.withLock { state in
      readAll(&state)
      state.record.tick(at: elapsed()).forEach(update)
    }
  }

  /// Looks at the server when it has been still for a while, and says so when it stays so.
  func lookAfter() {
    state.withLock { state in
      let now = elapsed()
      let isWaiting = state.record.output.lock.isWaiting
      // Who waits for the lock is told of that.
      if isWaiting { state.watch.heard(at: now) }
      let server = state.record.server
      let text = state.watch.tick(
        at: now, isAwaited: isWaiting || state.record.isComplete,
        allowance: state.record.options.talksToServices ? .seconds(120) : .zero,
        look: { look(server) })
      if let text { update(.notice(text)) }
    }
  }

  /// What is to be done about a client that does not end though its build has; each told once.
  var forceDue: ForcedEnd.Force? {
    state.withLock { state in
      let now = elapsed()
      let due = state.patience.force(
        isComplete: state.record.isComplete, silence: state.watch.signs.silence(at: now),
        talksToServices: state.record.options.talksToServices, at: now)
      if let notice = due?.notice { update(.notice(notice)) }
      return due?.force
    }
  }

  func finish(_ exit: CommandExit) -> BuildResult {
    state.withLock { state in
      state.printed.finish().map(BuildUpdate.init).forEach(update)
      readAll(&state)
      let (updates, result) = state.record.finish(exit, at: elapsed())
      updates.forEach(update)
      return result
    }
  }

  func close() { state.withLock { $0.file.remove() } }

  private func readAll(_ state: inout State) {
    while true {
      switch state.file.readMore() {
      case .restarted: state.record.restart()
      case .more(let bytes):
        guard !bytes.isEmpty else { return }
        state.watch.heard(at: elapsed())
        state.record.addEvents(bytes, at: elapsed()).forEach(update)
      }
    }
  }
}
