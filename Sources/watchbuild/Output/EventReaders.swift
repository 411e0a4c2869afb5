import Events
import FoundationEssentials

/// The readers of a run's events, each on a thread of its own, so that none can hold up another.
struct EventReaders: Sendable {
  /// An interrupted command waits only for so long for somebody who takes no event.
  static let patienceWhenInterrupted = Duration.milliseconds(500)

  private var readers: [EventReader] = []

  /// Has somebody read a hub's events, from the next one on.
  ///
  /// - Parameters:
  ///   - hub: What is read.
  ///   - write: Called with each event, in order; a gap is one, too. It may block.
  ///   - failed: Told of the error that `write` throws, after which there are no more calls.
  /// - Throws: `Errno` where the system has no thread or descriptor left.
  mutating func add(
    to hub: EventHub, write: @escaping @Sendable (Event) throws -> Void,
    failed: @escaping @Sendable (any Error) -> Void = { _ in }
  ) throws {
    readers.append(
      try EventReader(hub, write: { try write($0.event(at: Date())) }, failed: failed))
  }

  /// Waits until all have written what has been recorded; one that takes no event for so long is given up.
  func finish(patience: Duration = EventReader.patience) async {
    await withTaskGroup(of: Void.self) { group in
      for reader in readers { group.addTask { await reader.finish(patience: patience) } }
    }
  }
}
