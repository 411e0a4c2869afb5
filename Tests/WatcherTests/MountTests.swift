import SystemPackage
import TestSupport
import Testing

@testable import Watcher

@Suite struct MountTableTests {
  private func table(_ lines: String...) -> MountTable {
    MountTable(text: Array(lines.joined(separator: "\n").utf8))
  }

  private let root = "20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"
  private let data = #"31 20 0:40 / /w/my\040data rw - tmpfs tmpfs rw"#

  private func changes(_ now: MountTable, since earlier: MountTable) -> [String] {
    now.changes(since: earlier).map { point, mount in
      "\(String(decoding: point, as: UTF8.self)) \(mount?.kind ?? "nothing")"
    }
  }

  @Test func `a mount that comes and one that goes are told`() {
    #expect(changes(table(root, data), since: table(root)) == ["/w/my data tmpfs"])
    #expect(changes(table(root), since: table(root, data)) == ["/w/my data nothing"])
    #expect(changes(table(root, data), since: table(root, data)) == [])
  }

  @Test func `a file system that has the number of one that is gone is another`() {
    let earlier = table("36 22 0:51 / /w/pkg rw - tmpfs none rw")
    #expect(table("36 22 0:52 / /w/pkg rw - tmpfs none rw").changes(since: earlier).count == 1)
    #expect(table("36 22 0:51 /a /w/pkg rw - tmpfs none rw").changes(since: earlier).count == 1)
    #expect(table("36 22 0:51 / /w/pkg rw - tmpfs none rw").changes(since: earlier).isEmpty)
  }

  @Test func `of two mounts at one place the later is on top`() {
    let other = #"32 31 0:41 / /w/my\040data rw - overlay none rw"#
    #expect(changes(table(root, data, other), since: table(root, data)) == ["/w/my data overlay"])
    #expect(changes(table(root, data), since: table(root, data, other)) == ["/w/my data tmpfs"])
  }

  @Test func `lines that are none are passed over`() {
    #expect(table("", "x y z", "1 2 3:4 / /a rw shared:1 tmpfs x rw y").mounts.isEmpty)
  }
}

extension OneWatcher {
  @Suite struct Mounts {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func alone(
      _ test: String, scope: WatchScope? = nil, _ body: (WatchHarness) async throws -> Void
    ) async throws {
      try await OtherProcess.run(test, under: "unshare -Urm") {
        try directory.shell("mkdir -p w/pkg/sub w/other b; echo 1 > w/pkg/f; echo 1 > w/pkg/sub/g")
        let root = directory.appending("w")
        let watcher = try InotifyWatcher(WatchScope(root: root, ignore: IgnoreRules(root: root)))
        _ = await watcher.ready()
        do {
          try await body(WatchHarness(directory: directory, watcher: watcher))
        } catch {
          Issue.record(error)
        }
        await watcher.stop()
        try directory.shell("cd w; umount -l pkg/f pkg/sub pkg 2>/dev/null || :")
      }
    }

    private func changes(_ harness: WatchHarness) async throws -> [String] {
      WatchHarness.changes(in: try await harness.events(), relativeTo: directory.appending("w"))
    }

    private func words(_ events: [WatchEvent]) -> [String] {
      events.compactMap { if case .degraded(let reason) = $0 { reason } else { nil } }
    }

    @Test func `a file system mounted over a package is watched, and what differs is told`()
      async throws
    {
      try await alone("mounted over a package is watched") { harness in
        try harness.shell("mount -t tmpfs none w/pkg; echo 1 > w/pkg/f; echo 1 > w/pkg/h")
        let events = try await harness.events()
        #expect(
          words(events) == [
            "tmpfs has been mounted at \(directory.path)/w/pkg: what is there now is watched, "
              + "and all its files count as changed"
          ])
        #expect(
          WatchHarness.changes(in: events, relativeTo: directory.appending("w"))
            == ["created pkg/h", "deleted pkg/sub/g", "modified pkg/f"])
        try harness.shell("echo 2 > w/pkg/f; mkdir w/pkg/new; echo 2 > w/pkg/new/i")
        #expect(try await changes(harness) == ["created pkg/new/i", "modified pkg/f"])
        try harness.shell("umount w/pkg")
        #expect(
          try await changes(harness)
            == ["created pkg/sub/g", "deleted pkg/h", "deleted pkg/new/i", "modified pkg/f"])
        try harness.shell("echo 3 > w/pkg/f; echo 3 > w/pkg/sub/g")
        #expect(try await changes(harness) == ["modified pkg/f", "modified pkg/sub/g"])
      }
    }

    /// Two of them have the same inode at their roots, and their files are older than the mount.
    @Test func `one file system in place of another is told whole`() async throws {
      try await alone("in place of another is told whole") { harness in
        try harness.shell(
          "mkdir a c; mount -t tmpfs none a; mount -t tmpfs none c; echo 1 > a/f; echo 2 > c/f")
        try harness.shell("mount --bind a w/pkg")
        _ = try await harness.events()
        try harness.shell("umount w/pkg; mount --bind c w/pkg")
        #expect(try await changes(harness).contains("modified pkg/f"))
        try harness.shell("echo 3 > c/f")
        #expect(try await changes(harness) == ["modified pkg/f"])
        try harness.shell("umount w/pkg a c")
      }
    }

    @Test func `a directory bound over a package is watched where it lies`() async throws {
      try await alone("bound over a package is watched") { harness in
        try harness.shell("echo 2 > b/f; mount --bind b w/pkg")
        #expect(try await changes(harness) == ["deleted pkg/sub/g", "modified pkg/f"])
        try harness.shell("echo 3 > b/f")
        #expect(try await changes(harness) == ["modified pkg/f"])
      }
    }

    @Test func `a file mounted over another is polled`() async throws {
      try await alone("a file mounted over another is polled") { harness in
        try harness.shell("echo 2 > b/x; mount --bind b/x w/pkg/f")
        let events = try await harness.events()
        #expect(words(events).count == 2)
        #expect(
          WatchHarness.changes(in: events, relativeTo: directory.appending("w"))
            == ["modified pkg/f"])
        try harness.shell("echo 33 > b/x")
        #expect(try await changes(harness) == ["modified pkg/f"])
        try harness.shell("umount w/pkg/f")
        #expect(try await changes(harness) == ["modified pkg/f"])
        let summary = await harness.watcher.update(
          WatchScope(
            root: directory.appending("w"), ignore: IgnoreRules(root: directory.appending("w"))))
        #expect(summary.degraded == nil)
      }
    }

    @Test func `a file system mounted over the root is another root`() async throws {
      try await alone("mounted over the root is another root") { harness in
        try harness.shell("mount -t tmpfs none w; echo 1 > w/g")
        let events = try await harness.events()
        #expect(events.contains(.rootReturned(directory.appending("w"))))
        try harness.shell("echo 2 > w/g")
        #expect(try await changes(harness) == ["modified g"])
        try harness.shell("umount w; echo 2 > w/pkg/f")
        #expect(
          try await changes(harness) == ["created pkg/f", "created pkg/sub/g", "deleted g"])
        try harness.shell("echo 3 > w/pkg/f")
        #expect(try await changes(harness) == ["modified pkg/f"])
      }
    }

    @Test func `mounts elsewhere are none of its business`() async throws {
      try await alone("mounts elsewhere are none") { harness in
        try harness.shell("mount -t tmpfs none b; umount b")
        #expect(try await harness.events() == [])
      }
    }
  }
}
