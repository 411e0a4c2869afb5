package import Basics
import Glibc
package import SystemPackage

extension FileContent {
  /// What the files of an index hold that have not changed since a moment; of a large graph nothing.
  ///
  /// - Parameters:
  ///   - index: Whose files, those of the main repository.
  ///   - moment: In seconds since 1970. What changed later may be a save that nobody has told of.
  package static func contents(
    of index: TargetIndex, before moment: Double
  ) -> [FilePath: FileContent] {
    guard index.fileCount <= 4096 else { return [:] }
    var found: [FilePath: FileContent] = [:]
    var names = BazelsOwnNames.all
    index.forEachFile { _, label in
      if label.isInMainRepository { names.append(label.path) }
    }
    for name in names {
      let path = index.workspace.pushing(FilePath(name))
      var status = stat()
      guard path.withPlatformString({ lstat($0, &status) }) == 0,
        FileClock.seconds(status.st_ctim) < moment
      else { continue }
      found[path] = look(at: path)
    }
    return found
  }
}
