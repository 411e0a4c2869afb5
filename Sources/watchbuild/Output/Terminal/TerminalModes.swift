import Basics
import Glibc
import Synchronization

/// Has the terminal give keys one by one and unseen, and gives it back: after every end that a process can see.
///
/// There is one terminal for the process, so this is state of the process: also a crash finds the way back.
enum TerminalModes {
  /// The settings as they were found; `nil`: the terminal was never taken.
  private static let saved = Mutex<termios?>(nil)
  private static let isTaken = Atomic(false)

  /// What a crash leaves a terminal in that shows the footer: the cursor is shown again.
  private static let showCursor: StaticString = "\u{1B}[?25h"

  /// Takes standard input's terminal, where there is one and this process is in its foreground.
  ///
  /// Signals are made from keys as before: Ctrl-C. Ctrl-Z comes as a byte, so that the screen can be left in order.
  ///
  /// - Returns: Whether keys are to be read.
  static func take() -> Bool {
    guard isForeground else { return false }
    var modes = termios()
    guard tcgetattr(STDIN_FILENO, &modes) == 0 else { return false }
    let found = modes
    saved.withLock { $0 = $0 ?? found }
    modes.c_lflag &= ~tcflag_t(ICANON | ECHO)
    withUnsafeMutableBytes(of: &modes.c_cc) { characters in
      characters[Int(VMIN)] = 1
      characters[Int(VTIME)] = 0
      // _POSIX_VDISABLE; source: termios(3).
      characters[Int(VSUSP)] = 0
    }
    // Known before it is so: a crash in between gives back what is there already.
    isTaken.store(true, ordering: .sequentiallyConsistent)
    guard tcsetattr(STDIN_FILENO, TCSANOW, &modes) == 0 else {
      isTaken.store(false, ordering: .sequentiallyConsistent)
      return false
    }
    return true
  }

  /// Gives the terminal back as it was found. Safe to be called by a signal handler, and more than once.
  static func giveBack() {
    guard isTaken.exchange(false, ordering: .sequentiallyConsistent) else { return }
    // In the background it would stop us; the shell has set its own then.
    if tcgetpgrp(STDIN_FILENO) == getpgrp(),
      // A crash may come while the lock is held; waiting for it would have no end.
      var modes = saved.withLockIfAvailable({ $0 }).flatMap(\.self)
    {
      tcsetattr(STDIN_FILENO, TCSANOW, &modes)
    }
    write(STDERR_FILENO, showCursor.utf8Start, showCursor.utf8CodeUnitCount)
  }

  /// Standard input is a terminal, and its keys are ours.
  static var isForeground: Bool {
    Terminal.isTerminal(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp()
  }

  /// Has a crash give the terminal back, too, before it takes its course.
  static func giveBackAfterCrash() {
    for number in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGQUIT] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in
        TerminalModes.giveBack()
        // The default action is in force again, by SA_RESETHAND.
        raise(number)
      }
      action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | Int32(SA_NODEFER)
      sigaction(number, &action, nil)
    }
  }
}
