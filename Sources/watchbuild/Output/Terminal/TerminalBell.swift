import Basics
import Glibc
import Synchronization
import SystemPackage

/// Wakes the thread that reads keys and draws: from other threads, and from the signals of a terminal.
final class TerminalBell: Sendable {
  enum Ring: UInt8 {
    /// There may be something to draw.
    case news = 0x6E
    /// The terminal has another size.
    case resized = 0x77
    /// The process goes on after it was stopped.
    case continued = 0x63
    case end = 0x65
  }

  /// Where the signal handlers write; -1: nobody listens.
  private static let handlersEnd = Atomic<Int32>(-1)

  let readEnd: FileDescriptor
  private let writeEnd: FileDescriptor

  /// - Throws: `Errno` where the system has no descriptor left.
  init() throws {
    (readEnd, writeEnd) = try FileDescriptor.pipe(options: [.closeOnExec, .nonBlocking])
  }

  deinit {
    Self.handlersEnd.store(-1, ordering: .sequentiallyConsistent)
    // Nothing is in it that closing could lose.
    try? readEnd.close()
    try? writeEnd.close()
  }

  func ring(_ ring: Ring) { Self.write(ring, to: writeEnd.rawValue) }

  /// A full pipe has woken the reader already; a size is asked for anew at each drawing.
  private static func write(_ ring: Ring, to descriptor: Int32) {
    var byte = ring.rawValue
    Glibc.write(descriptor, &byte, 1)
  }

  /// Has SIGWINCH and SIGCONT ring.
  func followSignals() {
    Self.handlersEnd.store(writeEnd.rawValue, ordering: .sequentiallyConsistent)
    for number in [SIGWINCH, SIGCONT] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in
        let end = TerminalBell.handlersEnd.load(ordering: .sequentiallyConsistent)
        guard end >= 0 else { return }
        let kept = errno
        TerminalBell.write(number == SIGCONT ? .continued : .resized, to: end)
        errno = kept
      }
      action.sa_flags = Int32(SA_RESTART)
      sigaction(number, &action, nil)
    }
  }

  /// What has rung since the last call.
  func heard() -> Set<Ring> {
    var rings: Set<Ring> = []
    var bytes = [UInt8](repeating: 0, count: 256)
    while true {
      let count = Glibc.read(readEnd.rawValue, &bytes, bytes.count)
      guard count > 0 else { return rings }
      rings.formUnion(bytes.prefix(count).compactMap(Ring.init))
    }
  }
}
