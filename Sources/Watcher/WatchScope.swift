package import SystemPackage

/// The directories and files to watch.
package struct WatchScope: Sendable, Hashable {
  /// The workspace's root: absolute, symbolic links resolved. Always watched itself.
  package var root: FilePath
  package var ignore: IgnoreRules
  /// Directories watched with all that is below, but not into a directory that is a Bazel package
  /// of its own and not among these. `nil`: all below the root.
  package var trees: Set<FilePath>?
  /// Directories watched without what is below. They may lie outside the root.
  package var directories: Set<FilePath>
  /// Directories that are watched with all that is below them, packages or not. They may lie outside
  /// the root, where nothing is watched by itself.
  package var outside: Set<FilePath>

  package init(
    root: FilePath, ignore: IgnoreRules, trees: Set<FilePath>? = nil,
    directories: Set<FilePath> = [], outside: Set<FilePath> = []
  ) {
    self.root = root.lexicallyNormalized()
    self.ignore = ignore
    self.trees = trees.map { Set($0.map { $0.lexicallyNormalized() }) }
    self.directories = Set(directories.map { $0.lexicallyNormalized() })
    self.outside = Set(outside.map { $0.lexicallyNormalized() })
  }
}

/// The directories and files that a watcher watches in the end.
package struct WatchSummary: Sendable, Hashable {
  package var directories: Int
  package var files: Int
  /// Why part of it is polled or can't be seen; `nil` when all is watched.
  package var degraded: String?

  package init(directories: Int, files: Int, degraded: String? = nil) {
    self.directories = directories
    self.files = files
    self.degraded = degraded
  }
}

/// A scope, prepared for one question: is this directory watched, and how far down?
struct WatchPlan {
  let scope: WatchScope
  /// Directories watched flat: those asked for, and all between them and the root, so that a
  /// renamed or recreated parent is seen.
  private let flat: Set<FilePath>
  /// Where watching starts: the root, and what lies outside it.
  let anchors: [(path: FilePath, mode: WatchedTree.Mode)]

  init(_ scope: WatchScope) {
    self.scope = scope
    let trees = scope.trees ?? []
    var flat: Set<FilePath> = []
    var outside: Set<FilePath> = []
    for path in trees.union(scope.directories).union(scope.outside)
    where path != scope.root {
      guard path.starts(with: scope.root) else {
        outside.insert(path)
        continue
      }
      if scope.directories.contains(path) { flat.insert(path) }
      var parent = path.removingLastComponent()
      while parent != scope.root, flat.insert(parent).inserted {
        parent = parent.removingLastComponent()
      }
    }
    self.flat = flat
    let isTree = scope.trees.map { $0.contains(scope.root) } ?? true
    var anchors = [(path: scope.root, mode: isTree ? WatchedTree.Mode.tree : .flat)]
    for path in outside.sorted(by: { $0.string < $1.string }) {
      let isCovered = anchors.dropFirst().contains {
        $0.mode == .tree && path.starts(with: $0.path)
      }
      if !isCovered {
        anchors.append((path, trees.contains(path) || scope.outside.contains(path) ? .tree : .flat))
      }
    }
    self.anchors = anchors
  }

  /// True if packages of their own end a tree.
  var hasBorders: Bool { scope.trees != nil }

  /// The way in which a directory is watched.
  ///
  /// - Parameters:
  ///   - isInTree: Whether the parent is watched with what is below it.
  ///   - path: Asked only where needed, for it costs an allocation.
  /// - Returns: `nil` where it is not watched at all.
  func mode(isInTree: Bool, path: () -> FilePath) -> WatchedTree.Mode? {
    guard let trees = scope.trees else {
      if isInTree { return .tree }
      return flat.contains(path()) ? .flat : nil
    }
    let path = path()
    if trees.contains(path) || scope.outside.contains(where: path.starts(with:)) { return .tree }
    if isInTree { return .inner }
    return flat.contains(path) ? .flat : nil
  }
}
