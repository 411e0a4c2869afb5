import SystemPackage
import TestSupport
import Testing

@testable import Watcher

@Suite struct VersionControlLockTests {
  let directory: TemporaryDirectory
  init() throws { directory = try TemporaryDirectory() }

  @Test(arguments: ["index.lock", "rebase-merge/done", "rebase-apply/next"])
  func `git at work is a lock`(_ file: String) throws {
    try directory.write("", to: ".git/HEAD")
    let lock = VersionControlLock(root: directory.path)
    #expect(!lock.isHeld())
    try directory.write("", to: ".git/\(file)")
    #expect(lock.isHeld())
  }

  @Test func `a merge that waits for its commit is no lock`() throws {
    try directory.write("", to: ".git/MERGE_HEAD")
    #expect(!VersionControlLock(root: directory.path).isHeld())
  }

  @Test(arguments: ["gitdir: ../main/.git/worktrees/w\n", "gitdir: ABSOLUTE/main/.git/worktrees/w"])
  func `a worktree's lock lies where its file says`(_ line: String) throws {
    let text = line.replacing("ABSOLUTE", with: directory.path.string)
    try directory.write(text, to: "w/.git")
    let lock = VersionControlLock(root: directory.appending("w"))
    #expect(!lock.isHeld())
    try directory.write("", to: "main/.git/worktrees/w/index.lock")
    #expect(lock.isHeld())
  }

  @Test func `a workspace below the repository's root is in it`() throws {
    try directory.write("", to: ".git/index.lock")
    try directory.write("", to: "sub/WORKSPACE")
    #expect(VersionControlLock(root: directory.appending("sub")).isHeld())
  }

  @Test func `Mercurial's lock is a link that leads nowhere`() throws {
    try directory.makeDirectory(".hg")
    let lock = VersionControlLock(root: directory.path)
    #expect(!lock.isHeld())
    try WatchHarness.shell("ln -s host:1 .hg/wlock", in: directory.path)
    #expect(lock.isHeld())
  }
}
