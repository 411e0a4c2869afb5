import Glibc
package import SystemPackage

/// Whether a version-control command is in the middle of rewriting the workspace.
///
/// Known are git's index lock and its rebases, in worktrees and submodules too, where `.git` is a
/// file that names the directory, and Mercurial's working-directory lock. A merge that waits for
/// its commit is none: it may wait for hours.
package struct VersionControlLock: Sendable, Hashable {
  /// Paths whose existence means that a command is at work.
  private let paths: [FilePath]

  /// Looks once where the locks would be. Reads at most two small files.
  ///
  /// - Parameter root: The workspace's root. It may lie below the root of the repository.
  package init(root: FilePath) {
    var paths: [FilePath] = []
    var directory = root
    while true {
      if let git = Self.gitDirectory(of: directory) {
        paths += ["index.lock", "rebase-merge", "rebase-apply"].map { git.appending($0) }
      }
      let hg = directory.appending(".hg")
      if FileStatus(at: hg)?.isDirectory == true { paths.append(hg.appending("wlock")) }
      guard paths.isEmpty, directory.lastComponent != nil else { break }
      directory.removeLastComponent()
    }
    self.paths = paths
  }

  /// A few `lstat`s. Mercurial's lock is a symbolic link that leads nowhere.
  package func isHeld() -> Bool { paths.contains { FileStatus(at: $0) != nil } }

  /// The repository's own directory, or for a worktree or submodule what its `.git` file names.
  ///
  /// Source: https://git-scm.com/docs/gitrepository-layout
  private static func gitDirectory(of directory: FilePath) -> FilePath? {
    let path = directory.appending(".git")
    guard let status = FileStatus(at: path) else { return nil }
    if status.isDirectory { return path }
    guard let line = firstLine(of: path), line.hasPrefix("gitdir: ") else { return nil }
    return directory.pushing(FilePath(String(line.dropFirst(8)))).lexicallyNormalized()
  }

  private static func firstLine(of path: FilePath) -> String? {
    guard let file = path.withPlatformString({ fopen($0, "re") }) else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: Int(PATH_MAX) + 16)
    guard fgets(&line, Int32(line.count), file) != nil else { return nil }
    let bytes = line.prefix { $0 != 0 && $0 != CChar(UInt8(ascii: "\n")) }
    return String(decoding: bytes.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
  }
}
