import SystemPackage
package import Watcher

/// What a change means for the images.
package struct Effect: Hashable, Sendable {
  /// Names of the images that it can change.
  package var images: Set<String> = []
  /// The graph itself may have changed: the index is to be made anew before the build.
  package var isStale = false

  package init(images: Set<String> = [], isStale: Bool = false) {
    self.images = images
    self.isStale = isStale
  }

  package mutating func formUnion(_ other: Effect) {
    images.formUnion(other.images)
    isStale = isStale || other.isStale
  }
}

extension TargetIndex {
  /// What a changed path starts from in the graph.
  private enum Meaning {
    /// Bazel's own configuration, or a file that no query reports: everything.
    case everything
    case nodes([Node], isStale: Bool)
    case nothing
  }

  /// - Parameters:
  ///   - change: What happened to which absolute path.
  ///   - isPackage: Whether a directory, relative to the workspace, has a BUILD file on disk.
  /// - Returns: The images that the change affects, and whether the graph may have changed.
  package func effect(
    of change: FileChange, isPackage: (String) -> Bool = { _ in false }
  ) -> Effect {
    switch meaning(of: change, isPackage: isPackage) {
    case .everything: Effect(images: imageNames, isStale: true)
    case .nodes(let nodes, let isStale): Effect(images: images(from: nodes), isStale: isStale)
    case .nothing: Effect()
    }
  }

  /// Why a change affects images: for each the shortest way from the file to its target.
  package func explanation(
    of change: FileChange, isPackage: (String) -> Bool = { _ in false }
  ) -> [String: [String]] {
    switch meaning(of: change, isPackage: isPackage) {
    case .everything:
      let file = relative(change.path) ?? change.path.string
      return images.reduce(into: [:]) { paths, image in
        for name in image.value { paths[name] = [file, labels[Int(image.key)]] }
      }
    case .nodes(let nodes, _): return paths(from: nodes)
    case .nothing: return [:]
    }
  }

  /// A path as changes of files: for a directory, of every file in the graph that lies below it.
  package func changes(under change: FileChange) -> [FileChange] {
    guard let directory = relative(change.path) ?? (change.path == workspace ? "" : nil) else {
      return [change]
    }
    let prefix = directory.isEmpty ? "" : directory + "/"
    let files = labels.indices.compactMap { node -> FileChange? in
      guard isFile[node], let label = Label(labels[node]), label.repository.isEmpty,
        label.path.hasPrefix(prefix)
      else { return nil }
      return FileChange(path: workspace.appending(label.path), kind: .modified)
    }
    return files.isEmpty ? [change] : files
  }

  private func meaning(of change: FileChange, isPackage: (String) -> Bool) -> Meaning {
    guard let path = relative(change.path) else { return alias(change.path.string) }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    if Self.isWorkspaceFile(path, name: name) || workspaceFiles.contains(path) {
      return .everything
    }
    let directory = Substring(path).parent
    if BuildFileName.all.contains(name) {
      return buildFile(in: directory, change: change.kind)
    }
    let package = package(of: directory, isPackage: isPackage)
    if let package, let node = file(path, in: package.path) {
      if path.hasSuffix(".bzl") { return .nodes([node], isStale: true) }
      // A file that is gone may have been a glob's; that it is back, or other, changes no graph.
      guard change.kind == .deleted else { return .nodes([node], isStale: false) }
      return .nodes([node, package.buildFile], isStale: true)
    }
    if case .nodes(let nodes, let isStale) = alias(path) { return .nodes(nodes, isStale: isStale) }
    if let package, let source = sourceDirectory(above: path, in: package.path) {
      return .nodes([source], isStale: false)
    }
    // A .bzl file that a broken BUILD file could not load is in no answer of a query.
    if path.hasSuffix(".bzl"), isPartial { return .everything }
    // Content that no target reads. What came or went may be matched by a glob.
    guard let package, change.kind != .modified else { return .nothing }
    return .nodes([package.buildFile], isStale: true)
  }

  private func buildFile(in directory: Substring, change: FileChange.Kind) -> Meaning {
    var starts: [Node] = []
    let known = buildFiles[String(directory)]
    if let known { starts.append(known) }
    // A BUILD file that comes or goes moves the border of the package around it.
    let isBorderMoved = known == nil || change != .modified
    if isBorderMoved, !directory.isEmpty,
      let outer = package(of: directory.parent, isPackage: { _ in false })
    {
      starts.append(outer.buildFile)
    }
    if starts.isEmpty, !isPartial { return .nothing }
    if isPartial { return .everything }
    if known == nil, change == .modified { return .nothing }
    return .nodes(starts, isStale: true)
  }

  /// The package that a directory's files belong to, if images depend on it.
  private func package(
    of directory: Substring, isPackage: (String) -> Bool
  ) -> (path: Substring, buildFile: Node)? {
    var directory = directory
    while true {
      if let node = buildFiles[String(directory)] { return (directory, node) }
      if directory.isEmpty || isPackage(String(directory)) { return nil }
      directory = directory.parent
    }
  }

  /// The source file (or source directory) that a path is; no rule that happens to share its name.
  private func file(_ path: String, in package: Substring) -> Node? {
    let name = package.isEmpty ? Substring(path) : path.dropFirst(package.count + 1)
    guard let node = nodes["//\(package):\(name)"], isFile[Int(node)] else { return nil }
    return node
  }

  /// A directory that is itself a source: `srcs = ["static"]`.
  private func sourceDirectory(above path: String, in package: Substring) -> Node? {
    var directory = Substring(path).parent
    while directory.count > package.count {
      if let node = file(String(directory), in: package) { return node }
      directory = directory.parent
    }
    return nil
  }

  /// A path that a symbolic link among the sources leads to, or that lies below one.
  private func alias(_ path: String) -> Meaning {
    guard !aliases.isEmpty else { return .nothing }
    var path = Substring(path)
    while !path.isEmpty {
      if let node = aliases[String(path)] { return .nodes([node], isStale: false) }
      path = path.parent
    }
    return .nothing
  }

  private func relative(_ path: FilePath) -> String? {
    let root = workspace.string
    let path = path.string
    guard path.utf8.count > root.utf8.count + 1, path.hasPrefix(root + "/") else { return nil }
    return String(path.dropFirst(root.count + 1))
  }

  /// Read by Bazel before any package, and reported by no query.
  private static func isWorkspaceFile(_ path: String, name: String) -> Bool {
    if name.hasSuffix(".bazelrc") || name.hasSuffix(".MODULE.bazel") { return true }
    return [
      "WORKSPACE", "WORKSPACE.bazel", "WORKSPACE.bzlmod", "MODULE.bazel", "MODULE.bazel.lock",
      "REPO.bazel", ".bazelversion", ".bazelignore", "tools/bazel",
    ].contains(path)
  }
}

extension Substring {
  /// Without the last component; empty when there is only one.
  var parent: Substring {
    guard let slash = lastIndex(of: "/") else { return self[startIndex..<startIndex] }
    return self[..<slash]
  }
}
