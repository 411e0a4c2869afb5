import Batching
import Synchronization
import SystemPackage
import Watcher

/// The watcher that the settings ask for, by notification or by polling, and what it watches: the
/// whole tree until there is an index, then the directories that the images are made from.
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
  private let scope: Mutex<WatchScope>

  init(_ settings: Settings) throws(Problem) {
    self.settings = settings
    let scope = WatchScope(
      root: settings.workspace, ignore: Self.ignoreRules(settings),
      directories: Self.configurationDirectory(settings))
    self.scope = Mutex(scope)
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
    case .notify(let watcher): for await events in watcher.events { receive(events) }
    case .poll(let watcher): for await events in watcher.events { receive(events) }
    }
  }

  func ready() async -> WatchSummary {
    switch kind {
    case .notify(let watcher): await watcher.ready()
    case .poll(let watcher): await watcher.ready()
    }
  }

  /// Watches what an index says that images are made from.
  ///
  /// Only one call at a time.
  ///
  /// - Parameters:
  ///   - index: The graph of the images.
  ///   - isWhole: All of the workspace stays watched, whatever the index says.
  /// - Returns: Whether directories joined. What happened in them between the query and now was
  ///   not seen, so the query must be asked again.
  func follow(_ index: TargetIndex, isWhole: Bool) async -> Bool {
    let scope = scope(of: index, isWhole: isWhole)
    let old = self.scope.withLock { current in
      defer { current = scope }
      return current
    }
    guard scope != old else { return false }
    _ =
      switch kind {
      case .notify(let watcher): await watcher.update(scope)
      case .poll(let watcher): await watcher.update(scope)
      }
    return scope.reachesBeyond(old)
  }

  private func scope(of index: TargetIndex, isWhole: Bool) -> WatchScope {
    let root = settings.workspace
    var directories = Self.configurationDirectory(settings)
    for file in index.workspaceFiles where !file.hasPrefix("@") {
      directories.insert(root.pushing(FilePath(file)).removingLastComponent())
    }
    // Where links lead: the directory that holds the target, and all below if it is one itself.
    var outside: Set<FilePath> = []
    var trees = Set(index.packages.map { $0.isEmpty ? root : root.pushing(FilePath($0)) })
    for path in index.linked {
      directories.insert(path.removingLastComponent())
      guard Disk.type(of: path) == .directory else { continue }
      if path.starts(with: root) { trees.insert(path) } else { outside.insert(path) }
    }
    // With a broken package, the file whose repair matters may lie anywhere.
    return WatchScope(
      root: root, ignore: Self.ignoreRules(settings),
      trees: isWhole || index.isPartial ? nil : trees, directories: directories, outside: outside)
  }

  /// Where `-f` says that the configuration is: it may lie outside the workspace.
  private static func configurationDirectory(_ settings: Settings) -> Set<FilePath> {
    Set([settings.configurationFile?.path.removingLastComponent()].compactMap { $0 })
  }

  private static func ignoreRules(_ settings: Settings) -> IgnoreRules {
    IgnoreRules(
      root: settings.workspace, bazelIgnore: BazelIgnore.read(in: settings.workspace),
      patterns: settings.ignore)
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
    if !directories.isSubset(of: other.directories) || !outside.isSubset(of: other.outside) {
      return true
    }
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
