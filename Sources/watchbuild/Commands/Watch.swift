import SystemPackage
import Watcher

/// The watcher that the settings ask for: by notification or by polling.
struct Watch: Sendable {
  private enum Kind: Sendable {
    case notify(InotifyWatcher)
    case poll(PollingWatcher)
  }

  private let kind: Kind
  private let scope: WatchScope

  init(_ settings: Settings) throws(Problem) {
    let scope = WatchScope(
      root: settings.workspace,
      ignore: IgnoreRules(
        root: settings.workspace, bazelIgnore: BazelIgnore.read(in: settings.workspace),
        patterns: settings.ignore))
    self.scope = scope
    do {
      kind =
        switch settings.trigger {
        case .notify: .notify(try InotifyWatcher(scope))
        case .poll:
          .poll(
            try PollingWatcher(
              scope, interval: settings.pollInterval, clock: ContinuousClock()))
        }
    } catch {
      throw Problem("\(error)")
    }
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

  func stop() async {
    switch kind {
    case .notify(let watcher): await watcher.stop()
    case .poll(let watcher): await watcher.stop()
    }
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
