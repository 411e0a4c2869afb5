import Basics
import Glibc
import Runner
import Synchronization

/// Keys, and what they show or ask for.
extension LiveTerminal {
  func readKeys() {
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = Glibc.read(STDIN_FILENO, &bytes, bytes.count)
    guard count > 0 else {
      // The terminal is gone; a signal tells the rest.
      if count == 0 || errno != EINTR { state.withLock { $0.hasKeys = false } }
      return
    }
    // What begins with an escape is a sequence of a key that means nothing here.
    guard bytes[0] != 0x1B else { return }
    for key in bytes.prefix(count).compactMap(TerminalKey.init) { press(key) }
  }

  private func press(_ key: TerminalKey) {
    if key == .suspend { return suspend() }
    let run = state.withLock { state -> Run? in
      switch key {
      case .errors: draw(state.errorRows(columns, workspace), &state)
      case .images: draw(ImageRows.rows(state.run?.snapshot() ?? .init()), &state)
      case .timings: draw(state.timings.rows, &state)
      case .help: draw(TerminalKey.helpRows, &state)
      case .clear:
        put(state.page.cleared(), &state)
        draw([], &state)
      case .log: draw(logRows(state), &state)
      case .rebuild, .build, .pause, .quit, .suspend: break
      }
      return state.run
    }
    run?.press(key)
  }

  private func logRows(_ state: State) -> [StyledText] {
    let broken = brokenNames(state)
    guard let name = broken.first, let lines = state.run?.log(name) else {
      return [StyledText("no output of a failed action is kept")]
    }
    let shown = lines.suffix(200)
    let cut = lines.count - shown.count
    return [
      StyledText(
        "── output of \(name) "
          + (cut > 0 ? "(\(cut) lines before it: watchbuild logs \(name))" : ""))
    ]
      + shown.map { StyledText($0) }
      + (broken.count > 1 ? [StyledText("more: watchbuild logs \(broken[1])")] : [])
  }

  /// Leaves the terminal in order, and stops as Ctrl-Z has a program stop.
  private func suspend() {
    state.withLock { state in
      // The signal takes a moment to stop us: until it is over nothing is drawn below the rows.
      state.isBehind = true
      put(state.page.textWithoutFooter(columns: columns) + state.page.closing, &state)
    }
    TerminalModes.giveBack()
    kill(0, SIGTSTP)
  }

  func continued() {
    let hasKeys = TerminalModes.take()
    state.withLock { state in
      state.isBehind = Self.isBehind
      state.hasKeys = hasKeys
      state.page.forget()
      put(state.page.opening, &state)
    }
  }
}

extension LiveTerminal.State {
  fileprivate func errorRows(_ columns: Int, _ workspace: String) -> [StyledText] {
    guard !errors.broken.isEmpty else { return [StyledText("no errors")] }
    return ErrorRows.rows(for: errors.causes, columns: columns, workspace: workspace)
  }
}
