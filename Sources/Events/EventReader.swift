import Basics
import Glibc
import Synchronization
import SystemPackage

/// Hands events to somebody who may be slow, or may never read again: a pipe, a terminal, a full disk.
///
/// Whoever records never waits: events wait in a queue with a limit, and a thread of the reader's
/// own writes them. A pipe that is full blocks that thread alone.
package final class EventReader: Sendable {
  /// Far more events than any normal run leaves to a slow reader.
  package static let limit = 10_000
  /// How long a reader may take none before it counts as gone.
  package static let patience = Duration.seconds(2)

  private let desk: Desk

  /// - Parameters:
  ///   - limit: So many events wait at most; see `EventQueue`.
  ///   - write: Called with each event, in order, on a thread that it may block.
  ///   - failed: Told of the error that `write` throws, after which there are no more calls.
  /// - Throws: `Errno` where the system has no thread or descriptor left.
  package init(
    limit: Int = EventReader.limit, write: @escaping @Sendable (Event) throws -> Void,
    failed: @escaping @Sendable (any Error) -> Void
  ) throws {
    let desk = try Desk(limit: limit)
    self.desk = desk
    try OwnThread.start {
      while let event = desk.next() {
        do {
          try write(event)
        } catch {
          desk.end()
          return failed(error)
        }
        desk.written()
      }
      desk.end()
    }
  }

  deinit { desk.close() }

  /// Takes an event, without waiting. After `finish` it is dropped.
  package func add(_ event: Event) { desk.add(event) }

  /// Takes no more events, and waits until all are written; a reader that takes none for so long as
  /// `patience` is given up.
  ///
  /// - Returns: Whether all are written.
  @discardableResult
  package func finish(
    patience: Duration = EventReader.patience, clock: some Clock<Duration> = ContinuousClock()
  ) async -> Bool {
    desk.close()
    return await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        await self.desk.waitForEnd()
        return true
      }
      group.addTask {
        var last = -1
        while self.desk.count != last {
          last = self.desk.count
          // Cancelled, the other one has an answer.
          guard (try? await clock.pause(for: patience)) != nil else { break }
        }
        return false
      }
      defer { group.cancelAll() }
      return await group.next() ?? false
    }
  }
}

/// What the two sides of a reader share.
private final class Desk: Sendable {
  private struct State {
    var queue: EventQueue
    var isClosed = false
    /// The thread waits for the bell.
    var isAsleep = false
    var count = 0
  }

  private let state: Mutex<State>
  /// A pipe that never holds more than one byte.
  private let bell: (readEnd: FileDescriptor, writeEnd: FileDescriptor)
  private let ended: AsyncStream<Never>
  private let ending: AsyncStream<Never>.Continuation

  init(limit: Int) throws {
    bell = try FileDescriptor.pipe(options: .closeOnExec)
    state = Mutex(State(queue: EventQueue(limit: limit)))
    (ended, ending) = AsyncStream.makeStream(of: Never.self)
  }

  deinit {
    // Nothing is in it that closing could lose.
    try? bell.readEnd.close()
    try? bell.writeEnd.close()
  }

  // MARK: Called from anywhere

  func add(_ event: Event) {
    wake { if !$0.isClosed { $0.queue.add(event) } }
  }

  func close() { wake { $0.isClosed = true } }

  /// How many have been written.
  var count: Int { state.withLock(\.count) }

  func waitForEnd() async { for await _ in ended {} }

  private func wake(_ change: (inout State) -> Void) {
    let isAsleep = state.withLock { state in
      change(&state)
      defer { state.isAsleep = false }
      return state.isAsleep
    }
    var byte: UInt8 = 0
    // Both ends are open, and there is room.
    if isAsleep { Glibc.write(bell.writeEnd.rawValue, &byte, 1) }
  }

  // MARK: Called by the thread

  /// Waits for an event.
  ///
  /// - Returns: `nil` when there are no more.
  func next() -> Event? {
    while true {
      let (event, isClosed) = state.withLock { state in
        let event = state.queue.take()
        state.isAsleep = event == nil && !state.isClosed
        return (event, state.isClosed)
      }
      if let event { return event }
      if isClosed { return nil }
      var byte: UInt8 = 0
      // Signals go to other threads: it is never interrupted.
      Glibc.read(bell.readEnd.rawValue, &byte, 1)
    }
  }

  func written() { state.withLock { $0.count += 1 } }

  func end() {
    state.withLock { $0.isClosed = true }
    ending.finish()
  }
}
