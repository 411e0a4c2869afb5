import SystemPackage
import Synchronization
import Watcher

/// Reads a watcher's events for as long as a test runs, and hands them out after a barrier.
final class Recorder: Sendable {
  private let events = Mutex<[WatchEvent]>([])
  private let task = Mutex<Task<Void, Never>?>(nil)
  private let watcher: InotifyWatcher

  init(_ watcher: InotifyWatcher) {
    self.watcher = watcher
    // Ends with the watcher's events; `stop` waits for it.
    let task = Task { [self] in
      for await batch in watcher.events { events.withLock { $0 += batch } }
    }
    self.task.withLock { $0 = task }
  }

  /// All that was reported since the last call, up to now: changes of one path as one.
  func take() async throws -> [WatchEvent] {
    try await watcher.synchronize()
    // The barrier says that the events are in the stream; the reading task must run to take them.
    while watcher.hasUnreadEvents { await Task.yield() }
    return events.withLock { events in
      defer { events = [] }
      return events
    }
  }

  func stop() async {
    await watcher.stop()
    await task.withLock { $0 }?.value
  }
}
