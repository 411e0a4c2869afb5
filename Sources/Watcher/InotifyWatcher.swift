import Basics
import Glibc
import Synchronization
import SystemPackage

/// Watches directories by inotify.
///
/// There is one per process, because libinotifytools keeps its state in static variables. One
/// thread owns the library and does nothing else; all functions here may be called from anywhere.
package final class InotifyWatcher: Sendable {
  private static let isClaimed = Atomic<Bool>(false)

  private let control: WatchControl
  private let queue: WatchEventQueue

  /// Starts the thread and returns at once; `ready()` waits for the set-up.
  ///
  /// To be called before any process is started: only then is there no moment in which a child
  /// could inherit the library's descriptor.
  ///
  /// - Throws: `WatchError`, with what to do about it.
  ///
  /// - Parameters:
  ///   - scope: What to watch.
  ///   - trace: Called on the thread with each event as the kernel told it; must not wait.
  package convenience init(
    _ scope: WatchScope, trace: (@Sendable (KernelEvent) -> Void)? = nil
  ) throws(WatchError) {
    try self.init(scope, limit: WatchEventQueue.limit, trace: trace)
  }

  /// Lets `limit` changes wait for the reader before reading stops, and `deadWatchLimit` watches
  /// be dropped before all are made anew.
  init(
    _ scope: WatchScope, limit: Int, deadWatchLimit: Int = WatchLoop.deadWatchLimit,
    trace: (@Sendable (KernelEvent) -> Void)? = nil
  ) throws(WatchError) {
    guard let status = scope.root.withPlatformString({ FileStatus(following: $0) }) else {
      throw .notADirectory(scope.root, Errno(rawValue: errno))
    }
    guard status.isDirectory else { throw .notADirectory(scope.root, .notDirectory) }
    let control = try WatchControl()
    guard !Self.isClaimed.exchange(true, ordering: .acquiringAndReleasing) else {
      throw .alreadyRunning
    }
    let queue = WatchEventQueue(limit: limit, onRoom: { control.ring() })
    self.control = control
    self.queue = queue
    do {
      try Self.start(scope, try InotifyTools(), control, queue, deadWatchLimit, trace)
    } catch {
      Self.isClaimed.store(false, ordering: .releasing)
      throw error
    }
  }

  deinit { control.requestStop() }

  /// The events since each directory joined, in batches. One reader at a time.
  package var events: WatchEvents { WatchEvents(queue: queue) }

  /// Waits until all directories of the scope are watched.
  package func ready() async -> WatchSummary { await control.ready() }

  /// Watches another scope from now on. Directories join and leave; none that stays is disturbed,
  /// and what is newly watched is not reported as changed.
  @discardableResult
  package func update(_ scope: WatchScope) async -> WatchSummary { await control.update(scope) }

  /// Returns when every change made before the call is in `events`.
  ///
  /// It needs the reader of `events` only where that has fallen behind by more than its bound.
  ///
  /// - Throws: `WatchError.stopped`.
  package func synchronize() async throws(WatchError) {
    guard await control.synchronize() else { throw .stopped }
  }

  /// Puts a mark into `events` behind every change made before the call; returns when it is there.
  ///
  /// After `stop()` it does nothing.
  package func mark(_ mark: WatchMark) async { _ = await control.mark(mark) }

  /// Reports what has happened so far, gives everything back and ends `events`.
  ///
  /// Another watcher may be made when this returns.
  package func stop() async { await control.stop() }

  // MARK: The thread

  private static func start(
    _ scope: WatchScope, _ tools: InotifyTools, _ control: WatchControl, _ queue: WatchEventQueue,
    _ deadWatchLimit: Int, _ trace: (@Sendable (KernelEvent) -> Void)?
  ) throws(WatchError) {
    do {
      try OwnThread.start {
        var loop = WatchLoop(
          scope, tools: tools, control: control, queue: queue, deadWatchLimit: deadWatchLimit,
          trace: trace)
        loop.run()
        isClaimed.store(false, ordering: .releasing)
        queue.finish()
        control.end()
      }
    } catch {
      tools.close()
      throw .unavailable(error)
    }
  }
}
