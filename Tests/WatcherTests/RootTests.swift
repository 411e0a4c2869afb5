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

    /// As Bazel's server does: the kernel tells of the removal only to the parent.
    @Test func `a root that a program stands in is lost when removed, and found when made again`()
      async throws
    {
      try await run { watcher in
        try await standing(in: root) {
          try directory.shell("rm -r w")
          #expect(try await events(watcher).contains(.rootLost(root)))
          try directory.shell("mkdir -p w/a; echo 2 > w/a/f")
          let events = try await events(watcher)
          #expect(events.contains(.rootReturned(root)))
          #expect(WatchHarness.changes(in: events, relativeTo: root) == ["created a/f"])
          try directory.shell("echo 3 > w/a/f")
          #expect(try await changes(watcher) == ["modified a/f"])
        }
      }
    }

    @Test func `a root that a program stands in is found when made again at once`() async throws {
      try await run { watcher in
        try await standing(in: root) {
          try directory.shell("rm -r w; mkdir -p w/a; echo 2 > w/a/f")
          let events = try await events(watcher)
          #expect(events.contains(.rootReturned(root)))
          #expect(
            WatchHarness.changes(in: events, relativeTo: root) == ["deleted g", "modified a/f"])
          try directory.shell("echo 3 > w/a/f")
          #expect(try await changes(watcher) == ["modified a/f"])
        }
      }
    }

    @Test(arguments: ["rm -r p", "mv p q"])
    func `a root goes with its parents and comes back with them`(_ leave: String) async throws {
      let root = try directory.makeDirectory("p/q/w")
      try directory.write("1", to: "p/q/w/f")
      let watcher = try InotifyWatcher(WatchScope(root: root, ignore: IgnoreRules(root: root)))
      _ = await watcher.ready()
      do {
        try await standing(in: root) {
          try await standing(in: root.removingLastComponent()) {
            try directory.shell(leave)
            #expect(try await events(watcher).contains(.rootLost(root)))
            try directory.shell("mkdir -p p/q/w; echo 2 > p/q/w/f")
            let events = try await events(watcher)
            #expect(events.contains(.rootReturned(root)))
            let changes = WatchHarness.changes(in: events, relativeTo: root)
            #expect(changes.count == 1)
            try directory.shell("echo 3 > p/q/w/f")
            #expect(
              WatchHarness.changes(in: try await self.events(watcher), relativeTo: root)
                == ["modified f"])
          }
        }
      } catch {
        Issue.record(error)
      }
      await watcher.stop()
    }

    @Test func `a directory outside goes with its parent and comes back with it`() async throws {
      let outside = try directory.makeDirectory("lib/ext")
      try directory.write("1", to: "lib/ext/f")
      try await run(directories: [outside]) { watcher in
        try directory.shell("mv lib away")
        #expect(try await changes(watcher) == ["deleted \(outside)/f"])
        try directory.shell("mv away lib")
        #expect(try await changes(watcher) == ["created \(outside)/f"])
        try directory.shell("echo 22 > lib/ext/f")
        #expect(try await changes(watcher) == ["modified \(outside)/f"])
      }
    }

    @Test func `a root that is a link is watched where it leads, and where it leads next`()
      async throws
    {
      try directory.shell("mkdir v; echo 22 > v/g; ln -s w current")
      let root = directory.appending("current")
      let watcher = try InotifyWatcher(WatchScope(root: root, ignore: IgnoreRules(root: root)))
      _ = await watcher.ready()
      do {
        try directory.shell("ln -sfn v current")
        let events = try await events(watcher)
        #expect(events.contains(.rootReturned(root)))
        #expect(
          WatchHarness.changes(in: events, relativeTo: root) == ["deleted a/f", "modified g"])
        try directory.shell("echo 3 > v/g; echo 3 > w/g")
        #expect(
          WatchHarness.changes(in: try await self.events(watcher), relativeTo: root)
            == ["modified g"])
      } catch {
        Issue.record(error)
      }
      await watcher.stop()
    }

    @Test func `names that come and go beside the root are none of its business`() async throws {
      try await run { watcher in
        try directory.shell("for i in $(seq 300); do echo > x$i; rm x$i; done; mkdir y; rmdir y")
        #expect(try await events(watcher) == [])
        try directory.shell("mv w v")
        #expect(try await events(watcher) == [.rootLost(root)])
      }
    }

    /// Holds a directory as a program does whose working directory it is.
    private func standing(
      in path: FilePath, _ body: () async throws -> Void
    ) async throws {
      let descriptor = try FileDescriptor.open(path, .readOnly, options: .directory)
      let result: Result<Void, any Error>
      do { result = .success(try await body()) } catch { result = .failure(error) }
      try descriptor.close()
      try result.get()
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
