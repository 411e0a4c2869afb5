package import SystemPackage

/// Questions to the disk that the mapping of a change asks; answered at the edge.
package struct DiskQuestions: Sendable {
  /// Tells whether a directory has a BUILD file.
  package var isPackage: @Sendable (FilePath) -> Bool
  /// Tells whether a path is a symbolic link.
  package var isLink: @Sendable (FilePath) -> Bool
  /// Tells whether a path is a link that Bazel leaves to its outputs, whatever `--symlink_prefix` calls it.
  package var isOutputLink: @Sendable (FilePath) -> Bool

  package init(
    isPackage: @escaping @Sendable (FilePath) -> Bool = { _ in false },
    isLink: @escaping @Sendable (FilePath) -> Bool = { _ in false },
    isOutputLink: @escaping @Sendable (FilePath) -> Bool = { _ in false }
  ) {
    self.isPackage = isPackage
    self.isLink = isLink
    self.isOutputLink = isOutputLink
  }
}
