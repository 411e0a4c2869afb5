package import Basics
package import Graph
import Logging
package import Settings
import Synchronization
package import SystemPackage
package import Watcher

/// The watcher that the settings ask for, by notification or by polling, and what it watches: the
/// whole tree until there is an index, then the directories that the images are made from. The same
/// of other workspaces that images are made in.
///
/// Where notification can't be had it polls, and `shortfall` says why.
package final class Watch: ChangeSource {
  private enum Kind: Sendable {
    case notify(InotifyWatcher)
    case poll(PollingWatcher)
  }

  private let kind: Kind
  /// Why the workspace is polled although the settings ask for notification.
  package let shortfall: String?
  private let settings: Settings
  private let state: Mutex<WatchedWorkspaces>

  package init(_ settings: Settings) throws(Problem) {
    self.settings = settings
    let workspaces = WatchedWorkspaces(settings)
    state = Mutex(workspaces)
    do {
      (kind, shortfall) = try Self.start(
        workspaces.scope, settings,
        unnotified: FileSystemKind.withoutNotification(at: settings.workspace))
    } catch {
      throw Problem("\(error)")
    }
  }

  private static func start(
    _ scope: WatchScope, _ settings: Settings, unnotified fileSystem: String?
  ) throws(WatchError) -> (Kind, shortfall: String?) {
    guard settings.trigger != .poll else { return (try poll(scope, settings), nil) }
    let interval = "every \(DurationText.text(settings.pollInterval))"
    if let fileSystem {
      return (
        try poll(scope, settings),
        "\(settings.workspace) is on \(fileSystem), which does not tell of changes that others "
          + "make: it is polled \(interval)"
      )
    }
    do {
      return (.notify(try InotifyWatcher(scope, trace: Self.trace)), nil)
    } catch {
      guard error.leavesPolling else { throw error }
      return (try poll(scope, settings), "\(error); meanwhile the workspace is polled \(interval)")
    }
  }

  private static func poll(
    _ scope: WatchScope, _ settings: Settings
  ) throws(WatchError) -> Kind {
    .poll(
      try PollingWatcher(scope, interval: settings.pollInterval, clock: ContinuousClock()))
  }

  /// Tells the log of each event of the kernel, where it is asked to.
  private static var trace: (@Sendable (KernelEvent) -> Void)? {
    let log = Logger(label: "kernel")
    guard log.logLevel <= .trace else { return nil }
    return { event in
      log.trace(
        "inotify",
        metadata: [
          "bits": "\(event.bits.joined(separator: "|"))",
          "path": "\(event.path.map { "\($0)" } ?? "(watched no longer)")",
        ])
    }
  }

  /// `notify` or `poll`, as the `watching` event names it.
  package var trigger: String {
    switch kind {
    case .notify: "notify"
    case .poll: "poll"
    }
  }

  /// Ends when the watcher stops or the task is cancelled.
  package func events(_ receive: @Sendable ([WatchEvent]) -> Void) async {
    switch kind {
    case .notify(let watcher): for await events in watcher.events { receive(concerning(events)) }
    case .poll(let watcher): for await events in watcher.events { receive(concerning(events)) }
    }
  }

  private func concerning(_ events: [WatchEvent]) -> [WatchEvent] {
    let workspaces = state.withLock { $0 }
    return events.filter { event in
      guard case .changed(let change) = event else { return true }
      return !workspaces.ignores(change.path)
    }
  }

  package func ready() async -> WatchSummary {
    switch kind {
    case .notify(let watcher): await watcher.ready()
    case .poll(let watcher): await watcher.ready()
    }
  }

  /// Watches other workspaces that images are made in, all of each until there is its index.
  ///
  /// Only one call of this, `follow` and `rereadIgnored` at a time.
  package func add(_ workspaces: Set<FilePath>) async {
    _ = await update { $0.add(workspaces) }
  }

  /// Watches what an index says that images are made from.
  ///
  /// - Parameters:
  ///   - index: The graph of the images of its workspace.
  ///   - isWhole: All of the main workspace stays watched, whatever the index says.
  /// - Returns: Whether directories joined. What happened in them between the query and now was
  ///   not seen, so the query must be asked again.
  package func follow(_ index: TargetIndex, isWhole: Bool) async -> Bool {
    await update { $0.follow(index, isWhole: isWhole) }
  }

  /// Watches what other lines in `.bazelignore` let in, from now on.
  ///
  /// Only one call of this, `add` and `follow` at a time.
  package func rereadIgnored() async {
    _ = await update { $0.renew() }
  }

  private func update(_ change: @Sendable (inout WatchedWorkspaces) -> Void) async -> Bool {
    let (old, new) = state.withLock { state in
      let old = state.scope
      change(&state)
      return (old, state.scope)
    }
    guard new != old else { return false }
    _ =
      switch kind {
      case .notify(let watcher): await watcher.update(new)
      case .poll(let watcher): await watcher.update(new)
      }
    return new.reachesBeyond(old)
  }

  /// Puts a mark into the events behind every change made before the call.
  package func mark(_ mark: WatchMark) async {
    switch kind {
    case .notify(let watcher): await watcher.mark(mark)
    case .poll(let watcher): await watcher.mark(mark)
    }
  }

  package func stop() async {
    switch kind {
    case .notify(let watcher): await watcher.stop()
    case .poll(let watcher): await watcher.stop()
    }
  }
}
