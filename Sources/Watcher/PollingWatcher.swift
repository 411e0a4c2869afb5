import Basics
import SystemPackage

/// Watches directories by looking at every file again and again.
///
/// For file systems that do not tell of changes, such as network mounts. Costs about a microsecond
/// for each file and look.
package final class PollingWatcher: Sendable {
  private let control: WatchControl
  private let queue: WatchEventQueue
  private let task: Task<Void, Never>

  /// Starts to look at once; `ready()` waits for the first look, which reports nothing.
  ///
  /// - Parameters:
  ///   - scope: What to look at.
  ///   - interval: From the end of one look to the begin of the next.
  ///   - clock: What measures the interval.
  /// - Throws: `WatchError` when the root is no directory.
  package init(
    _ scope: WatchScope, interval: Duration, clock: any Clock<Duration>
  ) throws(WatchError) {
    guard let status = scope.root.withPlatformString({ FileStatus(following: $0) }) else {
      throw .notADirectory(scope.root, .noSuchFileOrDirectory)
    }
    guard status.isDirectory else { throw .notADirectory(scope.root, .notDirectory) }
    let control = try WatchControl()
    let queue = WatchEventQueue(onRoom: {})
    self.control = control
    self.queue = queue
    // Ended by `stop` or `deinit`. No child of a caller's task: it outlives the initialiser.
    task = Task { await Self.run(scope, interval, clock, control, queue) }
  }

  deinit {
    control.requestStop()
    task.cancel()
  }

  /// The differences that each look found. One reader at a time.
  package var events: WatchEvents { WatchEvents(queue: queue) }

  /// Waits until everything has been looked at once.
  package func ready() async -> WatchSummary { await control.ready() }

  /// Watches another scope from now on; what is newly watched is not reported as changed.
  @discardableResult
  package func update(_ scope: WatchScope) async -> WatchSummary { await control.update(scope) }

  /// Looks at everything now, and returns when what differs is in `events`.
  ///
  /// - Throws: `WatchError.stopped`.
  package func synchronize() async throws(WatchError) {
    guard await control.synchronize() else { throw .stopped }
  }

  /// Looks at everything now, and puts a mark into `events` behind what differs.
  package func mark(_ mark: WatchMark) async { _ = await control.mark(mark) }

  package func stop() async {
    control.requestStop()
    task.cancel()
    await control.stop()
  }

  @concurrent
  private static func run(
    _ scope: WatchScope, _ interval: Duration, _ clock: any Clock<Duration>,
    _ control: WatchControl, _ queue: WatchEventQueue
  ) async {
    let surveyor = Surveyor(
      scope, notifier: NoNotifier(), isStopping: { control.isStopping })
    surveyor.begin()
    control.becomeReady(summary(of: surveyor))
    while !control.isStopping {
      await pause(interval, clock, control)
      let requests = control.takeRequests()
      // A slow reader loses nothing: what differs is found at the next look.
      if !queue.isFull || !requests.isEmpty { surveyor.poll() }
      queue.put(surveyor.takeFound())
      for request in requests {
        switch request {
        case .synchronize(let continuation): continuation.resume(returning: !control.isStopping)
        case .mark(let mark, let continuation):
          queue.put([.marked(mark)])
          continuation.resume(returning: true)
        case .update(let scope, let continuation):
          surveyor.update(scope)
          queue.put(surveyor.takeFound())
          continuation.resume(returning: summary(of: surveyor))
        }
      }
    }
    queue.finish()
    control.end()
  }

  /// Sleeps until the next look is due, somebody asks for one, or the watcher is stopped.
  private static func pause(
    _ interval: Duration, _ clock: any Clock<Duration>, _ control: WatchControl
  ) async {
    await withTaskGroup { group in
      // Both end by cancellation only when the other has ended, or at `stop`.
      group.addTask { try? await clock.pause(for: interval) }
      group.addTask { await control.awaitRequest() }
      await group.next()
      group.cancelAll()
    }
  }

  private static func summary(of surveyor: Surveyor<NoNotifier>) -> WatchSummary {
    WatchSummary(directories: surveyor.tree.count, files: surveyor.fileCount)
  }
}
