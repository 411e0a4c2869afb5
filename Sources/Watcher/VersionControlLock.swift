import Glibc
package import SystemPackage

/// Sees whether a version-control command is in the middle of rewriting the workspace.
///
/// Known are git's, in worktrees and submodules too, where `.git` is a file that names the
/// directory, Mercurial's and Sapling's, and Jujutsu's. What waits for a person is no command at
/// work: a merge to be committed, a rebase that has stopped, a message that is being written.
package struct VersionControlLock: Sendable, Hashable {
  private let root: FilePath

  /// - Parameter root: The workspace's root. It may lie below the root of the repository.
  package init(root: FilePath) { self.root = root }

  /// Looks for the repository and its locks: a dozen `lstat`s, while a command is at work some more.
  package func isHeld() -> Bool { isHeld(at: KernelTime.now) }

  /// - Parameter now: Nanoseconds since 1970.
  func isHeld(at now: Int64) -> Bool {
    var directory = root
    while true {
      var isRepository = false
      if let git = GitLock(of: directory) {
        if git.isHeld(at: now) { return true }
        isRepository = true
      }
      for name in [".hg", ".sl"] {
        let lock = directory.appending(name).appending("wlock")
        guard FileStatus(at: directory.appending(name))?.isDirectory == true else { continue }
        if OwnedLock(lock).isHeld { return true }
        isRepository = true
      }
      let jj = directory.appending(".jj")
      if FileStatus(at: jj)?.isDirectory == true {
        let lock = jj.appending("working_copy").appending("working_copy.lock")
        if FlockedFile.isHeld(lock) { return true }
        isRepository = true
      }
      guard !isRepository, directory.lastComponent != nil else { return false }
      directory.removeLastComponent()
    }
  }
}
