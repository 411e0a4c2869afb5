import Batching
import Synchronization
import SystemPackage
import Watcher

/// The watcher that the settings ask for, by notification or by polling, and what it watches: the
/// whole tree until there is an index, then the directories that the images are made from. The same
/// of other workspaces that images are made in.
///
/// Where notification can't be had it polls, and `shortfall` says why.
final class Watch: Sendable {
  private enum Kind: Sendable {
    case notify(InotifyWatcher)
    case poll(PollingWatcher)
  }

  private let kind: Kind
  /// Why the workspace is polled although the settings ask for notification.
  let shortfall: String?
  private let settings: Settings
  private let state: Mutex<State>

  private struct State {
    var scope: WatchScope
    /// Of the main workspace too, once there are images.
    var workspaces: Set<FilePath> = []
    /// What watching of each workspace follows; without one all of it is watched.
    var indexes: [FilePath: TargetIndex] = [:]
    /// What is of no concern in the other workspaces.
    var ignored: [FilePath: IgnoreRules] = [:]
  }

  init(_ settings: Settings) throws(Problem) {
    self.settings = settings
    let scope = WatchScope(
      root: settings.workspace, ignore: Self.ignoreRules(settings),
      directories: Self.configurationDirectory(settings))
    state = Mutex(State(scope: scope))
    do {
      (kind, shortfall) = try Self.start(
        scope, settings,
        unnotified: FileSystemKind.withoutNotification(at: settings.workspace))
    } catch {
      throw Problem("\(error)")
    }
  }

  private static func start(
    _ scope: WatchScope, _ settings: Settings, unnotified fileSystem: String?
  ) throws(WatchError) -> (Kind, shortfall: String?) {
    guard settings.trigger == .notify else { return (try poll(scope, settings), nil) }
    let interval = "every \(DurationText.text(settings.pollInterval))"
    if let fileSystem {
      return (
        try poll(scope, settings),
        "\(settings.workspace) is on \(fileSystem), which does not tell of changes that others "
          + "make: it is polled \(interval)"
      )
    }
    do {
      return (.notify(try InotifyWatcher(scope)), nil)
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

  /// `notify` or `poll`, as the `watching` event names it.
  var trigger: String {
    switch kind {
    case .notify: "notify"
    case .poll: "poll"
    }
  }

  /// Ends when the watcher stops or the task is cancelled.
  func events(_ receive: @Sendable ([WatchEvent]) -> Void) async {
    switch kind {
    case .notify(let watcher): for await events in watcher.events { receive(concerning(events)) }
    case .poll(let watcher): for await events in watcher.events { receive(concerning(events)) }
    }
  }

  /// The watcher knows what to ignore in the main workspace only: Bazel's convenience links come
  /// in every one.
  private func concerning(_ events: [WatchEvent]) -> [WatchEvent] {
    let ignored = state.withLock(\.ignored)
    guard !ignored.isEmpty else { return events }
    return events.filter { event in
      guard case .changed(let change) = event else { return true }
      return !ignored.contains { change.path.starts(with: $0) && $1.ignores(change.path) }
    }
  }

  func ready() async -> WatchSummary {
    switch kind {
    case .notify(let watcher): await watcher.ready()
    case .poll(let watcher): await watcher.ready()
    }
  }

  /// Watches other workspaces that images are made in, all of each until there is its index.
  ///
  /// Only one call of this and of `follow` at a time.
  func add(_ workspaces: Set<FilePath>) async {
    let others = workspaces.subtracting([settings.workspace])
    guard !others.isSubset(of: state.withLock(\.workspaces)) else { return }
    state.withLock { state in
      state.workspaces.formUnion(others)
      for other in others {
        state.ignored[other] = IgnoreRules(root: other, bazelIgnore: BazelIgnore.read(in: other))
      }
    }
    _ = await update()
  }

  /// Watches what an index says that images are made from.
  ///
  /// - Parameters:
  ///   - index: The graph of the images of its workspace.
  ///   - isWhole: All of the main workspace stays watched, whatever the index says.
  /// - Returns: Whether directories joined. What happened in them between the query and now was
  ///   not seen, so the query must be asked again.
  func follow(_ index: TargetIndex, isWhole: Bool) async -> Bool {
    let isFollowed = !(isWhole && index.workspace == settings.workspace)
    state.withLock { $0.indexes[index.workspace] = isFollowed ? index : nil }
    return await update()
  }

  private func update() async -> Bool {
    let (old, scope) = state.withLock { state in
      let old = state.scope
      state.scope = self.scope(of: state)
      return (old, state.scope)
    }
    guard scope != old else { return false }
    _ =
      switch kind {
      case .notify(let watcher): await watcher.update(scope)
      case .poll(let watcher): await watcher.update(scope)
      }
    return scope.reachesBeyond(old)
  }

  private func scope(of state: State) -> WatchScope {
    let root = settings.workspace
    var scope = WatchScope(
      root: root, ignore: Self.ignoreRules(settings, watching: state.workspaces), trees: [],
      directories: Self.configurationDirectory(settings))
    for workspace in state.workspaces.union([root]) {
      // With a broken package, the file whose repair matters may lie anywhere.
      let index = state.indexes[workspace].flatMap { $0.isPartial ? nil : $0 }
      if workspace == root, index == nil {
        scope.trees = nil
      } else if let index {
        add(index, to: &scope)
      } else {
        scope.outside.insert(workspace)
      }
      if let known = state.indexes[workspace] { addLinks(of: known, to: &scope) }
    }
    return scope
  }

  private func add(_ index: TargetIndex, to scope: inout WatchScope) {
    for file in index.workspaceFiles where !file.hasPrefix("@") {
      scope.directories.insert(index.workspace.pushing(FilePath(file)).removingLastComponent())
    }
    scope.directories.insert(index.workspace)
    for package in index.packages {
      let path = package.isEmpty ? index.workspace : index.workspace.pushing(FilePath(package))
      if index.workspace == settings.workspace {
        scope.trees?.insert(path)
      } else {
        scope.outside.insert(path)
      }
    }
  }

  /// Where links lead: the directory that holds the target, and all below if it is one itself.
  private func addLinks(of index: TargetIndex, to scope: inout WatchScope) {
    for path in index.linked {
      scope.directories.insert(path.removingLastComponent())
      guard Disk.type(of: path) == .directory else { continue }
      if path.starts(with: settings.workspace) {
        scope.trees?.insert(path)
      } else {
        scope.outside.insert(path)
      }
    }
  }

  /// Where `-f` says that the configuration is: it may lie outside the workspace.
  private static func configurationDirectory(_ settings: Settings) -> Set<FilePath> {
    Set([settings.configurationFile?.path.removingLastComponent()].compactMap { $0 })
  }

  /// - Parameter others: Workspaces; where they lie within this one, it most likely tells Bazel to
  ///   ignore them.
  private static func ignoreRules(
    _ settings: Settings, watching others: Set<FilePath> = []
  ) -> IgnoreRules {
    let lines = BazelIgnore.read(in: settings.workspace).filter { line in
      let directory = settings.workspace.pushing(FilePath(line)).lexicallyNormalized()
      return !others.contains { $0.starts(with: directory) }
    }
    return IgnoreRules(root: settings.workspace, bazelIgnore: lines, patterns: settings.ignore)
  }

  func stop() async {
    switch kind {
    case .notify(let watcher): await watcher.stop()
    case .poll(let watcher): await watcher.stop()
    }
  }
}

extension WatchScope {
  /// Whether it watches anything that the other does not.
  fileprivate func reachesBeyond(_ other: WatchScope) -> Bool {
    if ignore != other.ignore { return true }
    func isBelow(_ path: FilePath) -> Bool { other.outside.contains(where: path.starts(with:)) }
    guard outside.allSatisfy(isBelow) else { return true }
    // Not asked whether it is ignored: a file that Bazel reads may be in an ignored directory.
    let isKnown = { (path: FilePath) in
      path == root || other.directories.contains(path) || isBelow(path)
    }
    guard directories.allSatisfy(isKnown) else { return true }
    guard let known = other.trees else { return false }
    return trees.map { !$0.isSubset(of: known) } ?? true
  }
}

/// What `.bazelignore` lists: directories that Bazel does not look into.
///
/// Source: https://bazel.build/run/bazelrc#bazelignore
enum BazelIgnore {
  static func read(in workspace: FilePath) -> [String] {
    // Without the file there is nothing to ignore; Bazel reports one that it can't read.
    guard let bytes = try? Disk.read(workspace.appending(".bazelignore"), limit: 1 << 20) else {
      return []
    }
    return String(decoding: bytes, as: UTF8.self)
      .split(whereSeparator: \.isNewline)
      .map { $0.drop(while: \.isWhitespace) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
      .map(String.init)
  }
}
