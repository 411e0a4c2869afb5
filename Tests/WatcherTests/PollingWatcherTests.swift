import SystemPackage
import TestSupport
import Testing

@testable import Watcher

/// The clock never moves by itself here: a look is had by `synchronize`.
@Suite struct PollingWatcherTests {
  let directory: TemporaryDirectory
  init() throws { directory = try TemporaryDirectory() }

  private func run(_ body: (PollingWatcher) async throws -> Void) async throws {
    let watcher = try PollingWatcher(
      WatchScope(root: directory.path, ignore: IgnoreRules(root: directory.path)),
      interval: .seconds(3600), clock: ContinuousClock())
    _ = await watcher.ready()
    do { try await body(watcher) } catch { Issue.record(error) }
    await watcher.stop()
  }

  private func changes(_ watcher: PollingWatcher) async throws -> [String] {
    try await watcher.synchronize()
    return WatchHarness.changes(
      in: watcher.events.takeAvailable(), relativeTo: directory.path)
  }

  @Test func `a look reports what differs`() async throws {
    try directory.write("1", to: "a/f")
    try directory.write("1", to: "a/g")
    try await run { watcher in
      _ = try await changes(watcher)
      try WatchHarness.shell(
        "echo 22 > a/f; rm a/g; mkdir -p b/c; echo 1 > b/c/h", in: directory.path)
      #expect(try await changes(watcher) == ["created b/c/h", "deleted a/g", "modified a/f"])
    }
  }

  @Test func `the execute bit and a renamed tree are seen`() async throws {
    try directory.write("1", to: "a/f")
    try directory.write("1", to: "g")
    try await run { watcher in
      _ = try await changes(watcher)
      try WatchHarness.shell("mv a b; chmod +x g", in: directory.path)
      #expect(try await changes(watcher) == ["created b/f", "deleted a/f", "modified g"])
    }
  }

  @Test func `a lost root is said once, and what differs at its return`() async throws {
    try directory.write("1", to: "w/f")
    let root = directory.appending("w")
    let watcher = try PollingWatcher(
      WatchScope(root: root, ignore: IgnoreRules(root: root)), interval: .seconds(3600),
      clock: ContinuousClock())
    _ = await watcher.ready()
    try WatchHarness.shell("mv w v", in: directory.path)
    for _ in 0..<2 { try await watcher.synchronize() }
    #expect(watcher.events.takeAvailable() == [.rootLost(root)])
    try WatchHarness.shell("mv v w; echo 22 > w/g", in: directory.path)
    try await watcher.synchronize()
    let changes = WatchHarness.changes(
      in: watcher.events.takeAvailable(), relativeTo: root)
    #expect(changes.contains("created g"))
    await watcher.stop()
  }

  @Test func `it stops while it waits`() async throws {
    try await run { watcher in
      await watcher.stop()
      await #expect(throws: WatchError.stopped) { try await watcher.synchronize() }
    }
  }
}
