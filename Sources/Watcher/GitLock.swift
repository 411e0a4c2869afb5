import Glibc
import SystemPackage

/// Sees whether git is rewriting a work tree.
///
/// Source: https://git-scm.com/docs/gitrepository-layout
struct GitLock {
  private let directory: FilePath

  /// The state of commands of several steps, with the files in it that each step writes. It stays while
  /// git waits for a person, so only one that moves tells of a command at work.
  private static let steps = [
    "rebase-merge": [
      "git-rebase-todo", "done", "msgnum", "message", "author-script", "stopped-sha",
    ],
    "rebase-apply": ["next", "last", "info", "patch", "final-commit", "msg-clean"],
    "sequencer": ["todo", "head", "abort-safety"],
  ]
  /// The longest that a step leaves no trace, in nanoseconds. While it writes files it holds the
  /// index's lock anyway.
  private static let pace: Int64 = 1_000_000_000

  /// - Parameter workTree: A directory that may be the top of a work tree.
  /// - Returns: `nil` when it is none.
  init?(of workTree: FilePath) {
    let path = workTree.appending(".git")
    guard let status = FileStatus(at: path) else { return nil }
    if status.isDirectory {
      directory = path
    } else {
      // A worktree or submodule: the file names the directory.
      guard let line = SmallFile.text(of: path).split(separator: "\n").first,
        line.hasPrefix("gitdir: ")
      else { return nil }
      directory = workTree.pushing(FilePath(String(line.dropFirst(8)))).lexicallyNormalized()
    }
  }

  /// - Parameter now: Nanoseconds since 1970.
  func isHeld(at now: Int64) -> Bool {
    if let lock = FileStatus(at: directory.appending("index.lock")), !awaitsMessage(since: lock) {
      return true
    }
    return Self.steps.contains { name, files in moves(directory.appending(name), files, now) }
  }

  /// `git commit -a` holds the lock as long as its message is in an editor, and writes no file of the
  /// work tree.
  private func awaitsMessage(since lock: FileStatus) -> Bool {
    guard let message = FileStatus(at: directory.appending("COMMIT_EDITMSG")) else { return false }
    return message.changed > lock.changed
  }

  private func moves(_ directory: FilePath, _ files: [String], _ now: Int64) -> Bool {
    guard let status = FileStatus(at: directory), status.isDirectory else { return false }
    let changes =
      [status.changed]
      + files.compactMap {
        FileStatus(at: directory.appending($0))?.changed
      }
    // A time to come is from before the clock was set back.
    return changes.contains { now - Self.pace...now + Self.pace ~= $0 }
  }
}
