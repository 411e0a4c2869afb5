/// Files that Bazel reads outside all packages: WORKSPACE and MODULE.bazel with what they load, the files
/// of options, and what rules that make other repositories have read.
///
/// No query reports it, and a change of it may change any image. Paths are relative to the
/// workspace, or absolute; a file of another repository that nothing is known of is `@name//path`.
package struct RepositoryInputs: Hashable, Sendable {
  package var files: Set<String>
  /// Directories whose names were asked for: what comes and goes in them counts.
  package var listings: Set<String>
  /// Directories of which all counts that is below them.
  package var trees: Set<String>

  package init(
    files: Set<String> = [], listings: Set<String> = [], trees: Set<String> = []
  ) {
    self.files = files
    self.listings = listings
    self.trees = trees
  }

  package mutating func formUnion(_ other: Self) {
    files.formUnion(other.files)
    listings.formUnion(other.listings)
    trees.formUnion(other.trees)
  }

  package var isEmpty: Bool { files.isEmpty && listings.isEmpty && trees.isEmpty }

  /// - Parameters:
  ///   - path: As the paths here are written.
  ///   - changesListing: Whether the directory's names are others for it.
  func contains(_ path: Substring, changesListing: Bool) -> Bool {
    if !files.isEmpty, files.contains(String(path)) { return true }
    guard !listings.isEmpty || !trees.isEmpty else { return false }
    if listings.contains(String(path)) || trees.contains(String(path)) { return true }
    var directory = path.parent
    if changesListing, listings.contains(String(directory)) { return true }
    // Empty is the workspace, whose paths are relative.
    let isAbsolute = path.hasPrefix("/")
    while !(isAbsolute && directory.isEmpty) {
      if trees.contains(String(directory)) { return true }
      if directory.isEmpty { break }
      directory = directory.parent
    }
    return false
  }
}
