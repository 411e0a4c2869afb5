import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Watcher

extension OneWatcher {
  @Suite struct Watching {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    @Test func `ready counts what is watched`() async throws {
      try directory.write("1", to: "a/b/file")
      try directory.write("1", to: "a/other")
      try directory.write("1", to: ".git/HEAD")
      let watcher = try InotifyWatcher(
        WatchScope(root: directory.path, ignore: IgnoreRules(root: directory.path)))
      let summary = await watcher.ready()
      #expect(summary == WatchSummary(directories: 3, files: 2))
      await watcher.stop()
    }

    @Test func `a second watcher is refused while one runs, and may follow it`() async throws {
      try await WatchHarness.run(in: directory) { harness in
        #expect(throws: WatchError.alreadyRunning) {
          _ = try InotifyWatcher(
            WatchScope(
              root: harness.directory.path, ignore: IgnoreRules(root: harness.directory.path)))
        }
      }
      try await WatchHarness.run(in: directory) { harness in
        try harness.directory.write("1", to: "file")
        #expect(try await harness.changes() == ["created file"])
      }
    }

    @Test func `a root that does not exist is refused by name`() throws {
      let missing = directory.appending("missing")
      #expect(throws: WatchError.notADirectory(missing, .noSuchFileOrDirectory)) {
        _ = try InotifyWatcher(WatchScope(root: missing, ignore: IgnoreRules(root: missing)))
      }
    }

    @Test func `events end and calls are answered when it stops`() async throws {
      let watcher = try InotifyWatcher(
        WatchScope(root: directory.path, ignore: IgnoreRules(root: directory.path)))
      _ = await watcher.ready()
      try directory.write("1", to: "last")
      await watcher.stop()
      var batches = 0
      for await _ in watcher.events { batches += 1 }
      #expect(batches == 1)
      await #expect(throws: WatchError.stopped) { try await watcher.synchronize() }
    }

    @Test func `a reader is woken by a change`() async throws {
      try await WatchHarness.run(in: directory) { harness in
        var iterator = harness.watcher.events.makeAsyncIterator()
        async let batch = iterator.next()
        try harness.directory.write("1", to: "file")
        let changes = await WatchHarness.changes(in: batch ?? [], relativeTo: directory.path)
        #expect(changes == ["created file"])
      }
    }

    @Test func `no descriptor is inherited by a child`() async throws {
      try await WatchHarness.run(in: directory) { harness in
        try harness.shell("! ls -l /proc/self/fd | grep -q -e inotify -e eventfd")
      }
    }

    @Test func `directories join and leave by update, silently`() async throws {
      for name in ["a", "b"] { try directory.write("1", to: "\(name)/file") }
      var scope = WatchScope(
        root: directory.path, ignore: IgnoreRules(root: directory.path),
        trees: [directory.appending("a")])
      try await WatchHarness.run(in: directory, scope: scope) { harness in
        try harness.shell("echo 2 > a/file; echo 2 > b/file")
        #expect(try await harness.changes() == ["modified a/file"])
        scope.trees = [directory.appending("b")]
        let summary = await harness.watcher.update(scope)
        #expect(summary.directories == 2)
        #expect(try await harness.changes() == [])
        try harness.shell("echo 3 > a/file; echo 3 > b/file")
        #expect(try await harness.changes() == ["modified b/file"])
      }
    }

    @Test func `other ignore rules apply to what is watched already`() async throws {
      for name in ["a/x.log", "b/x"] { try directory.write("1", to: name) }
      func scope(_ pattern: String) -> WatchScope {
        WatchScope(
          root: directory.path, ignore: IgnoreRules(root: directory.path, patterns: [pattern]))
      }
      try await WatchHarness.run(in: directory, scope: scope("b/**")) { harness in
        await harness.watcher.update(scope("*.log"))
        try harness.shell("echo 2 > a/x.log; echo 2 > b/x")
        #expect(try await harness.changes() == ["modified b/x"])
      }
    }

    @Test func `an overflow is reported, and what differs after it`() async throws {
      for number in 0..<50 { try directory.write("1", to: "d\(number % 5)/f\(number)") }
      // With one change unread the watcher reads no more, so that the kernel's queue fills up.
      try await WatchHarness.run(in: directory, limit: 1) { harness in
        let limit = InotifyLimits.current.maxQueuedEvents ?? 16_384
        // Each of these costs an event; none is merged with its neighbour.
        try harness.shell(
          """
          i=0; while [ $i -le \(limit / 2 + 4000) ]; do : > d0/x; : > d1/x; i=$((i+1)); done
          echo 2 > d3/f3; rm d4/f4; mkdir d5; echo 1 > d5/new; mv d2 d6; rm d0/x d1/x
          """)
        let events = try await harness.events()
        let changes = WatchHarness.changes(in: events, relativeTo: directory.path)
        let moved = [2, 7, 12, 17, 22, 27, 32, 37, 42, 47]
        let expected =
          ["modified d3/f3", "deleted d4/f4", "created d5/new"]
          + moved.flatMap { ["deleted d2/f\($0)", "created d6/f\($0)"] }
        #expect(Set(changes).isSuperset(of: expected))
        #expect(events.contains { if case .overflowed = $0 { true } else { false } })
        try harness.shell("echo 3 > d6/f2")
        #expect(try await harness.changes() == ["modified d6/f2"])
      }
    }
  }
}
