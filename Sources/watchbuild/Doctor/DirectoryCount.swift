import Basics
import SystemPackage

/// Counts the directories of a workspace: as many watches may be needed.
enum DirectoryCount {
  /// Past this the exact number says nothing more.
  private static let limit = 2_000_000

  /// Counts without following symbolic links, and without `.git`, `.hg` and their like.
  static func of(_ root: FilePath) -> Int {
    var count = 0
    var pending = [root]
    while let directory = pending.popLast(), count < limit {
      count += 1
      DirectoryEntries.forEach(in: directory) { name, kind in
        guard kind == .directory, let name = FilePath.Component(platformString: name),
          ![".git", ".hg", ".svn"].contains(name.string)
        else { return }
        pending.append(directory.appending(name))
      }
    }
    return count
  }
}
