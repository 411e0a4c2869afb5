import Basics
import Glibc
import Synchronization
import SystemPackage

/// Reads a hub's events on a thread of its own, for what may block: a pipe, a terminal, a slow disk.
///
/// A pipe that is full blocks that thread and nothing else. A task that never blocks reads
/// `EventHub.events` instead.
package final class EventReader: Sendable {
  /// How long a reader may take no event before it counts as gone.
  package static let patience = Duration.seconds(2)

  private let desk: Desk

  /// Reads from the next event on.
  ///
  /// - Parameters:
  ///   - hub: What is read.
  ///   - write: Called with each event, in order, on a thread that it may block.
  ///   - failed: Told of the error that `write` throws, after which there are no more calls.
  /// - Throws: `Errno` where the system has no thread or descriptor left.
  package init(
    _ hub: EventHub, write: @escaping @Sendable (EventHub.Reading) throws -> Void,
    failed: @escaping @Sendable (any Error) -> Void
  ) throws {
    let desk = try Desk(hub)
    self.desk = desk
    let start = hub.last
    try OwnThread.start {
      var cursor = start
      while let reading = desk.next(after: &cursor) {
        do {
          try write(reading)
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

  /// Takes no more events, and waits until those recorded so far are written; a reader that takes none
  /// for so long as `patience` is given up.
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
    /// The last event that is wanted.
    var end = Int.max
    var count = 0
  }

  private let hub: EventHub
  private let state = Mutex(State())
  /// A byte in this pipe wakes the thread.
  private let bell: (readEnd: FileDescriptor, writeEnd: FileDescriptor)
  private let ended: AsyncStream<Never>
  private let ending: AsyncStream<Never>.Continuation

  init(_ hub: EventHub) throws {
    self.hub = hub
    bell = try FileDescriptor.pipe(options: .closeOnExec)
    (ended, ending) = AsyncStream.makeStream(of: Never.self)
  }

  deinit {
    // Nothing is in it that closing could lose.
    try? bell.readEnd.close()
    try? bell.writeEnd.close()
  }

  // MARK: Called from anywhere

  func close() {
    let last = hub.last
    state.withLock { $0.end = min($0.end, last) }
    ring()
  }

  /// How many have been written.
  var count: Int { state.withLock(\.count) }

  func waitForEnd() async { for await _ in ended {} }

  private func ring() {
    var byte: UInt8 = 0
    // Both ends are open, and there is room: a byte for each wait, and one for the end.
    Glibc.write(bell.writeEnd.rawValue, &byte, 1)
  }

  // MARK: Called by the thread

  /// Waits for an event.
  ///
  /// - Returns: `nil` when there are no more.
  func next(after cursor: inout Int) -> EventHub.Reading? {
    while true {
      let end = state.withLock(\.end)
      if let reading = hub.next(after: &cursor, upTo: end) { return reading }
      if cursor >= end { return nil }
      let wait = hub.wake(after: cursor) { [weak self] in self?.ring() }
      var byte: UInt8 = 0
      // Signals go to other threads: it is never interrupted.
      Glibc.read(bell.readEnd.rawValue, &byte, 1)
      hub.stopWaiting(wait)
    }
  }

  func written() { state.withLock { $0.count += 1 } }

  func end() {
    state.withLock { $0.end = min($0.end, 0) }
    ending.finish()
  }
}
