package import SystemPackage
import Watcher

extension TargetIndex {
  /// Whether a path lies in the main repository and nowhere else.
  ///
  /// No link leads there and no other repository has it; it is none of the files that Bazel reads
  /// before packages or in the making of repositories.
  package func isPlain(_ path: FilePath) -> Bool {
    guard path.starts(with: workspace), path != workspace else { return false }
    guard places(of: path.string).count == 1, links.links[path.string] == nil else { return false }
    return !meaning(of: FileChange(path: path, kind: .created), isPackage: { _ in false })
      .isEverything
  }
}
