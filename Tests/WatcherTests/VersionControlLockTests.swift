import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Watcher

@Suite struct VersionControlLockTests {
  let directory: TemporaryDirectory
  init() throws { directory = try TemporaryDirectory() }

  private func isHeld(_ root: FilePath? = nil, secondsLater seconds: Int64 = 0) -> Bool {
    VersionControlLock(root: root ?? directory.path)
      .isHeld(at: KernelTime.now + seconds * 1_000_000_000)
  }

  @Test(arguments: ["index.lock", "rebase-merge/done", "rebase-apply/next", "sequencer/todo"])
  func `git at work is a lock`(_ file: String) throws {
    try directory.write("", to: ".git/HEAD")
    #expect(!isHeld())
    try directory.write("", to: ".git/\(file)")
    #expect(isHeld())
  }

  @Test(arguments: ["rebase-merge/done", "rebase-apply/next", "sequencer/todo"])
  func `git that has stopped for a person is no lock`(_ file: String) throws {
    try directory.write("", to: ".git/\(file)")
    #expect(!isHeld(secondsLater: 2))
    // The clock was set back.
    #expect(!isHeld(secondsLater: -3600))
  }

  @Test func `a step of a rebase that is written is a lock again`() throws {
    try directory.shell("mkdir -p .git/rebase-merge; touch .git/rebase-merge/msgnum")
    let seen = KernelTime.now + 2_000_000_000
    #expect(!VersionControlLock(root: directory.path).isHeld(at: seen))
    try directory.write("2", to: ".git/rebase-merge/msgnum")
    #expect(isHeld())
  }

  @Test func `a commit whose message is being written is no lock`() throws {
    try directory.write("", to: ".git/COMMIT_EDITMSG")
    try directory.shell(
      "until [ .git/index.lock -nt .git/COMMIT_EDITMSG ]; do touch .git/index.lock; done")
    #expect(isHeld())
    try directory.shell(
      "until [ .git/COMMIT_EDITMSG -nt .git/index.lock ]; do echo > .git/COMMIT_EDITMSG; done")
    #expect(!isHeld())
  }

  @Test func `a real rebase that stops at an edit and a conflict is no lock`() throws {
    try directory.shell(
      """
      git init -q -b main .; git config user.email a@b; git config user.name n
      for i in 1 2 3; do echo $i > f; git add f; git commit -qm $i; done
      GIT_SEQUENCE_EDITOR='sed -i "s/^pick/edit/"' git rebase -q -i HEAD~2 2>&1
      test -d .git/rebase-merge
      """)
    #expect(!isHeld(secondsLater: 2))
    try directory.shell("echo other > f; git commit -qam 2b; ! git rebase --continue 2>&1")
    #expect(!isHeld(secondsLater: 2))
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

  @Test(arguments: [".hg", ".sl"])
  func `a lock that names its process is held as long as that lives`(_ name: String) throws {
    try directory.makeDirectory(name)
    #expect(!isHeld())
    try directory.shell("ln -s $(hostname):$$ \(name)/wlock")
    #expect(!isHeld(), "its shell has ended")
    try directory.shell("ln -sfn $(hostname):\(getpid()) \(name)/wlock")
    #expect(isHeld())
    try directory.shell(
      "ln -sfn $(hostname)/$(printf %x $(stat -Lc %i /proc/self/ns/pid)):\(getpid()) \(name)/wlock")
    #expect(isHeld())
    try directory.shell("rm \(name)/wlock; echo $(hostname):$$ > \(name)/wlock")
    #expect(!isHeld(), "a file instead of a link")
  }

  @Test(arguments: ["elsewhere:1", "elsewhere/f00:4000000", "nobody", "host:x"])
  func `a lock whose process can't be asked for is held`(_ owner: String) throws {
    try directory.makeDirectory(".hg")
    try directory.shell("ln -s \(owner) .hg/wlock")
    #expect(isHeld())
  }

  @Test func `Jujutsu's lock is one as long as it is locked`() throws {
    let file = try directory.write("", to: ".jj/working_copy/working_copy.lock")
    #expect(!isHeld())
    let descriptor = try FileDescriptor.open(file, .readWrite)
    #expect(flock(descriptor.rawValue, LOCK_EX) == 0)
    #expect(isHeld())
    try descriptor.close()
    #expect(!isHeld())
  }

  @Test func `a repository that comes to be later has its locks seen`() throws {
    let lock = VersionControlLock(root: directory.path)
    #expect(!lock.isHeld())
    try directory.write("", to: ".git/index.lock")
    #expect(lock.isHeld())
  }

  @Test func `a repository's file that is a pipe is not waited for`() throws {
    try directory.shell("mkfifo .git; mkdir .hg; mkfifo .hg/wlock")
    #expect(isHeld())
  }
}
