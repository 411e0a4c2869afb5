package import SystemPackage

/// A path and what happened to it, as the watcher saw it.
///
/// Several changes of one path may be reported as one; the last state on disk is what counts.
package struct FileChange: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable {
    case created
    /// Content, kind (file, symbolic link) or execute bit; also a rename over an existing path.
    case modified
    /// Removed, or renamed to another path.
    case deleted
  }

  /// Absolute. Bytes as the kernel gave them: not necessarily UTF-8.
  package var path: FilePath
  package var kind: Kind
  /// The path changed more than once since its reader last looked: there may have been content that nobody saw.
  package var isRepeated: Bool

  package init(path: FilePath, kind: Kind, isRepeated: Bool = false) {
    self.path = path
    self.kind = kind
    self.isRepeated = isRepeated
  }
}
