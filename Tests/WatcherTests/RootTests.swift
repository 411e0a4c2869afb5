import SystemPackage
import TestSupport
import Testing

@testable import Watcher

extension OneWatcher {
  @Suite struct Root {
    let directory: TemporaryDirectory
    let root: FilePath

    init() throws {
      directory = try TemporaryDirectory()
      root = try directory.makeDirectory("w")
      try directory.write("1", to: "w/a/f")
      try directory.write("1", to: "w/g")
    }

    private func run(
      directories: Set<FilePath> = [], _ body: (InotifyWatcher) async throws -> Void
    ) async throws {
      let watcher = try InotifyWatcher(
        WatchScope(root: root, ignore: IgnoreRules(root: root), directories: directories))
      _ = await watcher.ready()
      do { try await body(watcher) } catch { Issue.record(error) }
      await watcher.stop()
    }

    private func events(_ watcher: InotifyWatcher) async throws -> [WatchEvent] {
      try await watcher.synchronize()
      return watcher.events.takeAvailable()
    }

    private func changes(_ watcher: InotifyWatcher) async throws -> [String] {
      WatchHarness.changes(in: try await events(watcher), relativeTo: root)
    }

    @Test func `a renamed root is lost, and what differs is said at its return`() async throws {
      try await run { watcher in
        try directory.shell("mv w v; echo 22 > v/a/f")
        #expect(try await events(watcher) == [.rootLost(root)])
        try directory.shell("echo 1 > v/h; rm v/g; mv v w")
        let changes = try await changes(watcher)
        #expect(Set(changes).isSuperset(of: ["modified a/f", "created h", "deleted g"]))
        try directory.shell("echo 3 > w/a/f")
        #expect(try await self.changes(watcher) == ["modified a/f"])
      }
    }

    @Test func `a root that is deleted and made again is watched again`() async throws {
      try await run { watcher in
        try directory.shell("rm -r w")
        #expect(try await events(watcher).contains(.rootLost(root)))
        try directory.shell("mkdir -p w/a; echo 2 > w/a/f")
        #expect(try await changes(watcher) == ["created a/f"])
        try directory.shell("echo 3 > w/a/f")
        #expect(try await changes(watcher) == ["modified a/f"])
      }
    }

    @Test func `a root replaced at once is not lost`() async throws {
      try await run { watcher in
        try directory.shell("mkdir v; echo 2 > v/g; mv w x; mv v w")
        let events = try await events(watcher)
        let changes = WatchHarness.changes(in: events, relativeTo: root)
        #expect(changes == ["deleted a/f", "modified g"])
        try directory.shell("echo 3 > w/g; echo 3 > x/g")
        #expect(try await self.changes(watcher) == ["modified g"])
      }
    }

    @Test func `a directory outside is watched flat, and again when it comes back`() async throws {
      try directory.write("1", to: "ext/f")
      try directory.write("1", to: "ext/sub/f")
      let outside = directory.appending("ext")
      try await run(directories: [outside]) { watcher in
        try directory.shell("echo 22 > ext/f; echo 22 > ext/sub/f")
        #expect(try await changes(watcher) == ["modified \(outside)/f"])
        try directory.shell("mv ext away; mkdir ext; echo 333 > ext/f; rm -r away")
        #expect(try await changes(watcher) == ["modified \(outside)/f"])
        try directory.shell("rm -r ext")
        #expect(try await changes(watcher) == ["deleted \(outside)/f"])
        try directory.shell("mkdir ext; echo 1 > ext/g")
        #expect(try await changes(watcher) == ["created \(outside)/g"])
      }
    }

    @Test func `a directory mounted at two places is seen at both`() async throws {
      try await OtherProcess.run("mounted at two places", under: "unshare -Urm") {
        try directory.shell("mkdir w/b; mount --bind w/a w/b")
        try await run { watcher in
          let summary = await watcher.ready()
          #expect(summary.degraded?.contains("mounted at two places") == true)
          try directory.shell("echo 22 > w/b/f")
          #expect(try await changes(watcher) == ["modified a/f", "modified b/f"])
        }
        try directory.shell("umount w/b")
      }
    }
  }
}
