import Basics
package import SystemPackage
package import Watcher

extension TargetIndex {
  /// The nodes of the graph that a changed path starts from.
  struct Meaning {
    /// Bazel's own configuration, or a file that no query reports.
    var isEverything = false
    var nodes: [Node] = []
    var isStale = false

    static let everything = Meaning(isEverything: true, isStale: true)

    mutating func formUnion(_ other: Meaning) {
      isEverything = isEverything || other.isEverything
      nodes += other.nodes
      isStale = isStale || other.isStale
    }
  }

  /// - Parameters:
  ///   - change: What happened to which absolute path.
  ///   - isPackage: Whether a directory, relative to the workspace, has a BUILD file on disk.
  ///   - isLink: Whether an absolute path is a symbolic link on disk.
  ///   - wasSeen: Bazel may have read a deleted path that is no target's.
  /// - Returns: The images that the change affects, and whether the graph may have changed.
  package func effect(
    of change: FileChange, isPackage: (String) -> Bool = { _ in false },
    isLink: (FilePath) -> Bool = { _ in false }, wasSeen: Bool = false
  ) -> Effect {
    var meaning = meaning(of: change, wasSeen: wasSeen, isPackage: isPackage)
    if meaning.isEverything { return Effect(images: imageNames, isStale: true) }
    guard !meaning.nodes.isEmpty else { return Effect(isStale: meaning.isStale) }
    // A source that has become a link, or was one, leads where nobody looks yet.
    if !meaning.isStale, change.kind != .deleted, isLink(change.path) { meaning.isStale = true }
    return Effect(images: images(from: meaning.nodes), isStale: meaning.isStale)
  }

  /// The same, with the disk asked about paths as they are: absolute.
  package func effect(
    of change: FileChange, asking disk: DiskQuestions, wasSeen: Bool = false
  ) -> Effect {
    effect(
      of: change, isPackage: { disk.isPackage(workspace.appending($0)) }, isLink: disk.isLink,
      wasSeen: wasSeen)
  }

  /// Maps changes together. The disk is asked about a directory once, and the graph is walked once.
  ///
  /// - Parameter seen: Deleted paths of no target that Bazel may have read.
  package func effect(
    of changes: [FileChange], asking disk: DiskQuestions, seen: Set<FilePath> = []
  ) -> Effect {
    var (nodes, isStale): (Set<Node>, Bool) = ([], false)
    var packages: [String: Bool] = [:]
    for change in changes {
      let wasSeen = !seen.isEmpty && seen.contains(change.path)
      let meaning = meaning(of: change, wasSeen: wasSeen) { directory in
        if let known = packages[directory] { return known }
        let isPackage = disk.isPackage(workspace.appending(directory))
        packages[directory] = isPackage
        return isPackage
      }
      if meaning.isEverything { return Effect(images: imageNames, isStale: true) }
      nodes.formUnion(meaning.nodes)
      isStale = isStale || meaning.isStale
      // A source that has become a link, or was one, leads where nobody looks yet.
      if !isStale, !meaning.nodes.isEmpty, change.kind != .deleted {
        isStale = disk.isLink(change.path)
      }
    }
    return Effect(images: nodes.isEmpty ? [] : images(from: Array(nodes)), isStale: isStale)
  }

  /// The packages of all rules that a file reaches, on the way to images: where what is made from it lies.
  package func packages(madeFrom path: FilePath) -> Set<SourceLinks.Place> {
    let meaning = meaning(
      of: FileChange(path: path, kind: .modified), isPackage: { _ in false })
    var packages: Set<SourceLinks.Place> = []
    var waiting = meaning.nodes
    var seen = Set(waiting)
    while let node = waiting.popLast() {
      if !isFile[Int(node)], let label = LabelParts(labels.bytes(node)) {
        packages.insert(
          SourceLinks.Place(
            repository: String(label.repository), path: String(label.package)))
      }
      waiting += readers(of: node).filter { seen.insert($0).inserted }
    }
    return packages
  }

  private func meaning(
    of change: FileChange, wasSeen: Bool, isPackage: (String) -> Bool
  ) -> Meaning {
    var meaning = meaning(of: change, isPackage: isPackage)
    if wasSeen, change.kind == .deleted, meaning.nodes.isEmpty {
      // As if it came: whatever a glob of its package may have had of it.
      let coming = FileChange(path: change.path, kind: .created)
      meaning.nodes = self.meaning(of: coming, isPackage: isPackage, takesEditorFiles: true).nodes
    }
    return meaning
  }

  // MARK: Places

  /// All that a path is: in the workspace, and by way of links.
  func places(of path: String) -> [SourceLinks.Place] {
    var places = links.places(of: path[...])
    for (repository, root) in links.roots {
      if let rest = path.below(root) {
        places.append(SourceLinks.Place(repository: repository, path: rest))
      }
    }
    if let rest = path.below(workspace.string) {
      places.insert(SourceLinks.Place(path: rest), at: 0)
    }
    return places
  }

  /// - Parameter takesEditorFiles: An editor's temporary file counts like any other.
  func meaning(
    of change: FileChange, isPackage: (String) -> Bool, takesEditorFiles: Bool = false
  ) -> Meaning {
    var meaning = Meaning()
    if inputs.contains(change.path.string[...], changesListing: change.kind != .modified) {
      return .everything
    }
    for place in places(of: change.path.string) {
      meaning.formUnion(
        self.meaning(of: place, change.kind, isPackage: isPackage, takesEditorFiles))
      if meaning.isEverything { return meaning }
    }
    for place in links.links[change.path.string] ?? [] {
      meaning.formUnion(retargeted(place))
    }
    return meaning
  }

  /// A link is to lead elsewhere: what is reached over it, and what a glob may find there.
  private func retargeted(_ link: SourceLinks.Place) -> Meaning {
    var meaning = Meaning(isStale: true)
    forEachFile { node, label in
      if label.isBelow(link) { meaning.nodes.append(Node(node)) }
    }
    let directory = link.path[...].parent
    if let package = package(of: directory, in: link.repository, isPackage: { _ in false }) {
      meaning.nodes += package.buildFiles
    }
    return meaning
  }

  private func meaning(
    of place: SourceLinks.Place, _ kind: FileChange.Kind, isPackage: (String) -> Bool,
    _ takesEditorFiles: Bool
  ) -> Meaning {
    let path = place.path[...]
    let name = path.name
    if isWorkspaceFile(place, name: name, kind) { return .everything }
    let directory = path.parent
    if BuildFileName.contains(name) {
      return buildFile(in: directory, of: place.repository, kind)
    }
    let isBzl = path.utf8.suffix(4).elementsEqual(".bzl".utf8)
    let package = package(
      of: directory, in: place.repository,
      isPackage: { place.repository.isEmpty && isPackage($0) })
    if let package, let node = file(path, package) {
      if isBzl { return Meaning(nodes: [node], isStale: true) }
      // A file that is gone may have been a glob's; that it is back, or other, changes no graph.
      guard kind == .deleted else { return Meaning(nodes: [node]) }
      return Meaning(nodes: [node] + package.buildFiles, isStale: true)
    }
    if let package, let source = sourceDirectory(above: path, package) {
      return Meaning(nodes: [source])
    }
    // A .bzl file that a broken BUILD file could not load is in no answer of a query.
    if isBzl, isPartial { return .everything }
    // Content that no target reads, as far as the graph is known: that it changes or goes changes
    // nothing. What came may be matched by a glob.
    guard let package, kind == .created || (kind == .deleted && isPartial),
      takesEditorFiles || !EditorFile.isTemporary(path.name)
    else { return Meaning() }
    return Meaning(nodes: package.buildFiles, isStale: true)
  }

  // MARK: Packages

  private struct Package {
    var repository: String
    var path: Substring
    var buildFiles: [Node]
  }

  private func buildFile(
    in directory: Substring, of repository: String, _ kind: FileChange.Kind
  ) -> Meaning {
    let known = buildFiles(of: directory, in: repository)
    if known.isEmpty {
      if isPartial { return .everything }
      if kind == .modified { return Meaning() }
    }
    var meaning = Meaning(nodes: known)
    // A BUILD file that comes or goes moves the border of the package around it.
    if known.isEmpty || kind != .modified, !directory.isEmpty,
      let outer = package(of: directory.parent, in: repository, isPackage: { _ in false })
    {
      meaning.nodes += outer.buildFiles
    }
    meaning.isStale = !meaning.nodes.isEmpty
    return meaning
  }

  /// The package that a directory's files belong to, if images depend on it.
  private func package(
    of directory: Substring, in repository: String, isPackage: (String) -> Bool
  ) -> Package? {
    var directory = directory
    while true {
      let known = buildFiles(of: directory, in: repository)
      if !known.isEmpty {
        return Package(repository: repository, path: directory, buildFiles: known)
      }
      if directory.isEmpty || isPackage(String(directory)) { return nil }
      directory = directory.parent
    }
  }

  /// The BUILD files of a package: one, or two for a moment while one is renamed to the other.
  private func buildFiles(of package: Substring, in repository: String) -> [Node] {
    BuildFileName.all.compactMap { node(package, $0[...], in: repository) }
  }

  /// The source file (or source directory) that a path is; no rule that happens to share its name.
  private func file(_ path: Substring, _ package: Package) -> Node? {
    let name = package.path.isEmpty ? path : path.dropFirst(utf8: package.path.utf8.count + 1)
    return node(package.path, name, in: package.repository)
  }

  private func node(_ package: Substring, _ name: Substring, in repository: String) -> Node? {
    var label: [UInt8] = []
    label.reserveCapacity(
      repository.utf8.count + package.utf8.count + name.utf8.count + 3)
    label += repository.utf8
    label += "//".utf8
    label += package.utf8
    label.append(UInt8(ascii: ":"))
    label += name.utf8
    return labels.node(label).flatMap { isFile[Int($0)] ? $0 : nil }
  }

  /// A directory that is itself a source: `srcs = ["static"]`.
  private func sourceDirectory(above path: Substring, _ package: Package) -> Node? {
    var directory = path.parent
    while directory.utf8.count > package.path.utf8.count {
      if let node = file(directory, package) { return node }
      directory = directory.parent
    }
    return nil
  }

  // MARK: Workspace files

  /// Read by Bazel before any package, and reported by no query.
  private func isWorkspaceFile(
    _ place: SourceLinks.Place, name: Substring, _ kind: FileChange.Kind
  ) -> Bool {
    let path = place.repository.isEmpty ? place.path : "\(place.repository)//\(place.path)"
    if inputs.contains(path[...], changesListing: kind != .modified) { return true }
    switch name {
    case "WORKSPACE", "WORKSPACE.bazel", "WORKSPACE.bzlmod", "MODULE.bazel", "MODULE.bazel.lock",
      "REPO.bazel", ".bazelversion", ".bazelignore", ".bazeliskrc", "platform_mappings":
      return name.utf8.count == place.path.utf8.count
    case "bazel": return place.path == "tools/bazel"
    // In whatever directory is given to --vendor_dir.
    case "VENDOR.bazel": return true
    default:
      return name.utf8.suffix(8).elementsEqual(".bazelrc".utf8)
        || name.utf8.suffix(13).elementsEqual(".MODULE.bazel".utf8)
    }
  }
}

extension LabelParts {
  /// Tells whether a file of that label lies at the place or below it.
  func isBelow(_ place: SourceLinks.Place) -> Bool {
    guard isInMainRepository == place.repository.isEmpty,
      isInMainRepository || repository == place.repository
    else { return false }
    if place.path.isEmpty { return true }
    let path = path
    return path == place.path || path.hasPrefix(place.path + "/")
  }
}

extension String {
  /// The part of the path behind a directory; `nil` where it does not lie below it.
  fileprivate func below(_ directory: String) -> String? {
    let (path, root) = (utf8, directory.utf8)
    guard path.count > root.count + 1, path.starts(with: root) else { return nil }
    let slash = path.index(path.startIndex, offsetBy: root.count)
    guard path[slash] == UInt8(ascii: "/") else { return nil }
    return String(self[path.index(after: slash)...])
  }
}

extension Substring {
  fileprivate var name: Substring {
    guard let slash = utf8.lastIndex(of: UInt8(ascii: "/")) else { return self }
    return self[utf8.index(after: slash)...]
  }

  fileprivate func dropFirst(utf8 count: Int) -> Substring {
    self[utf8.index(startIndex, offsetBy: count)...]
  }
}
