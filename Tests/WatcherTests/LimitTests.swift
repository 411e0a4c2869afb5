import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Watcher

extension OneWatcher {
  @Suite struct Limits {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    @Test func `what can't be watched is polled until it can be`() async throws {
      let limit = "echo 4 > /proc/sys/user/max_inotify_watches"
      try await OtherProcess.run(
        "polled until it can be", under: "unshare -Ur sh -c '\(limit); exec \"$@\"' sh"
      ) {
        for number in 1...6 { try directory.write("1", to: "d\(number)/f") }
        try await WatchHarness.run(in: directory) { harness in
          let summary = await harness.watcher.ready()
          #expect(summary.directories == 7)
          #expect(summary.degraded?.hasPrefix("3 of 7 directories are polled") == true)
          #expect(summary.degraded?.contains("sudo sysctl fs.inotify.max_user_watches=") == true)
          var events = try await harness.events()
          #expect(events.filter { if case .degraded = $0 { true } else { false } }.count == 1)
          try harness.shell("for d in d*; do echo 22 > $d/f; done")
          let all = (1...6).map { "modified d\($0)/f" }
          #expect(try await harness.changes() == all)
          try harness.shell("echo 100 > /proc/sys/user/max_inotify_watches; echo 333 > d1/f")
          events = try await harness.events()
          let again = await harness.watcher.ready()
          #expect(again.directories == 7)
          let mended = await harness.watcher.update(
            WatchScope(root: directory.path, ignore: IgnoreRules(root: directory.path)))
          #expect(mended.degraded == nil)
          try harness.shell("for d in d*; do echo 4444 > $d/f; done")
          #expect(try await harness.changes() == all)
        }
      }
    }

    @Test func `no instance left is an error with its remedy`() async throws {
      let limit = "echo 0 > /proc/sys/user/max_inotify_instances"
      try await OtherProcess.run(
        "no instance left", under: "unshare -Ur sh -c '\(limit); exec \"$@\"' sh"
      ) {
        #expect {
          try InotifyWatcher(
            WatchScope(root: directory.path, ignore: IgnoreRules(root: directory.path)))
        } throws: {
          "\($0)".contains("sudo sysctl fs.inotify.max_user_instances=")
        }
      }
    }

    @Test func `a directory that can't be read is announced, and seen when it can be`() async throws
    {
      try await OtherProcess.run(
        "announced, and seen when it can be",
        under: "setpriv --reuid=65534 --regid=65534 --clear-groups"
      ) {
        try directory.write("1", to: "d/f")
        try directory.write("1", to: "e/f")
        try directory.shell("chmod 0 d")
        try await WatchHarness.run(in: directory) { harness in
          let summary = await harness.watcher.ready()
          #expect(summary.degraded?.hasPrefix("1 of 3 directories can't be read") == true)
          try harness.shell("echo 2 > e/f")
          #expect(try await harness.changes() == ["modified e/f"])
          try harness.shell("chmod 755 d; echo 2 > d/f")
          #expect(try await harness.changes() == ["created d/f"])
          try harness.shell("echo 3 > d/f")
          #expect(try await harness.changes() == ["modified d/f"])
        }
      }
    }
  }
}

extension TemporaryDirectory {
  func shell(_ command: String) throws { try WatchHarness.shell(command, in: path) }
}
