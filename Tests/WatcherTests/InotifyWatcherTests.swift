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

    @Test func `an instance that another thread makes is not taken for its own`() async throws {
      let others = Task { @concurrent in
        while !Task.isCancelled {
          let made = (0..<2).map { _ in inotify_init1(Int32(IN_CLOEXEC)) }
          for descriptor in made where descriptor >= 0 { close(descriptor) }
          await Task.yield()
        }
      }
      defer { others.cancel() }
      for number in 0..<10 {
        try await WatchHarness.run(in: directory) { harness in
          try harness.directory.write("1", to: "file-\(number)")
          #expect(try await harness.changes() == ["created file-\(number)"])
        }
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
        let reasons = events.compactMap { event in
          if case .overflowed(let reason) = event { reason } else { nil }
        }
        #expect(reasons.contains { $0.contains("files in 7 directories again in ") })
        try harness.shell("echo 3 > d6/f2")
        #expect(try await harness.changes() == ["modified d6/f2"])
      }
    }

    @Test func `a branch switch of two thousand files is seen whole`() async throws {
      try directory.shell(
        """
        git init -q -b main .; git config user.email a@b; git config user.name n
        echo 1 > keep; git add .; git commit -qm 1; git switch -q -c other
        for d in $(seq 40); do mkdir -p p/d$d; for i in $(seq 50); do echo $i > p/d$d/f$i; done; done
        git add .; git commit -qm 2
        """)
      try await WatchHarness.run(in: directory) { harness in
        try harness.shell("git switch -q main")
        let files = Set((1...40).flatMap { d in (1...50).map { "p/d\(d)/f\($0)" } })
        #expect(Set(try await harness.changes()) == Set(files.map { "deleted \($0)" }))
        try harness.shell("git switch -q other")
        #expect(Set(try await harness.changes()) == Set(files.map { "created \($0)" }))
      }
    }

    @Test func `directories come and go without a trace, however many`() async throws {
      try await WatchHarness.run(in: directory, deadWatchLimit: 500) { harness in
        // Enough for the library's leftovers to be swept twice, and the watches made anew.
        for _ in 0..<11 {
          for number in 0..<100 { try directory.makeDirectory("d\(number)") }
          try await harness.watcher.synchronize()
          for number in 0..<100 {
            _ = directory.appending("d\(number)").withPlatformString { rmdir($0) }
          }
          #expect(try await harness.events() == [])
        }
        try directory.write("1", to: "d/f")
        #expect(try await harness.changes() == ["created d/f"])
      }
    }

    @Test func `barriers from many tasks at once all hold`() async throws {
      try await WatchHarness.run(in: directory) { harness in
        try await withThrowingTaskGroup(of: Bool.self) { group in
          for number in 0..<50 {
            group.addTask {
              try directory.write("1", to: "d\(number)/f")
              try await harness.watcher.synchronize()
              return true
            }
          }
          try await group.waitForAll()
        }
        let expected = (0..<50).map { "created d\($0)/f" }.sorted()
        // All barriers have passed, so nothing more is waited for here.
        let events = harness.watcher.events.takeAvailable()
        #expect(WatchHarness.changes(in: events, relativeTo: directory.path) == expected)
      }
    }

    @Test func `a path longer than the kernel takes is announced, and its neighbours are seen`()
      async throws
    {
      let name = String(repeating: "n", count: 250)
      try directory.shell(
        "for i in $(seq 17); do mkdir \(name); cd -P \(name); done; cd '\(directory.path)'; mkdir z"
      )
      try await WatchHarness.run(in: directory) { harness in
        let summary = await harness.watcher.ready()
        #expect(summary.degraded?.contains("too long for the kernel") == true)
        try harness.shell("echo 1 > z/f")
        #expect(try await harness.changes() == ["created z/f"])
      }
      try directory.shell("rm -rf \(name)")
    }
  }
}
