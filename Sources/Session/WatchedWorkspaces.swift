import Bazel
import Graph
import Settings
import SystemPackage
import Watcher

/// Decides what is to be watched: of the main workspace and of others that images are made in, the
/// directories that their indexes name, and all of those that have none yet.
struct WatchedWorkspaces: Sendable {
  private let root: FilePath
  /// Where `-f` says that the configuration is: it may lie outside the workspace.
  private let configuration: Set<FilePath>
  private let patterns: [String]
  /// Where `--events` writes: each line would be told as a change, and that as an event.
  private let events: FilePath?
  /// With what is of no concern in each.
  private var others: [FilePath: IgnoreRules] = [:]
  private var indexes: [FilePath: TargetIndex] = [:]
  /// All of the main workspace stays watched, whatever its index says.
  private var isWhole = false
  /// Files outside that Bazel reads, by the text of each workspace: watched from the start, so that
  /// no index needs to be asked for again because of them.
  private var outsideInputs: [FilePath: Set<FilePath>] = [:]
  private let startupOptions: [String]
  private(set) var scope: WatchScope

  init(_ settings: Settings) {
    root = settings.workspace
    configuration = Set(
      [settings.configurationFile?.path.removingLastComponent()].compactMap { $0 })
    patterns = settings.ignore
    events = settings.events?.realPath
    startupOptions = settings.startupOptions
    scope = WatchScope(root: root, ignore: IgnoreRules(root: root))
    outsideInputs[root] = OutsideInputs.files(of: root, startupOptions: startupOptions)
    renew()
  }

  /// Tells whether a path is of no concern.
  ///
  /// The watcher itself knows the rules of the main workspace only; Bazel's convenience links come
  /// in every one. Outside, as in the user's home, a directory is watched for one of its files.
  func ignores(_ path: FilePath) -> Bool {
    if path == events { return true }
    if path.starts(with: root) { return ignoresInOthers(path) }
    return ignoresInOthers(path) || !isNamed(path)
  }

  private func ignoresInOthers(_ path: FilePath) -> Bool {
    others.contains { path.starts(with: $0) && $1.ignores(path) }
  }

  private func isNamed(_ path: FilePath) -> Bool {
    let directory = path.removingLastComponent()
    return scope.outside.contains(where: path.starts(with:))
      || others.keys.contains(where: path.starts(with:)) || configuration.contains(directory)
      || outsideInputs.values.contains { $0.contains(path) }
      || indexes.values.contains { index in
        index.inputs.files.contains(path.string)
          || index.inputs.listings.contains(directory.string) || index.linked.contains(path)
      }
  }

  mutating func add(_ workspaces: Set<FilePath>) {
    for workspace in workspaces where workspace != root && others[workspace] == nil {
      others[workspace] = IgnoreRules(root: workspace)
      outsideInputs[workspace] = OutsideInputs.files(
        of: workspace, startupOptions: startupOptions)
    }
    renew()
  }

  mutating func follow(_ index: TargetIndex, isWhole: Bool) {
    indexes[index.workspace] = index
    self.isWhole = isWhole
    renew()
  }

  /// Reads again what `.bazelignore` says in each workspace.
  mutating func renew() {
    for workspace in others.keys { others[workspace] = ignoreRules(of: workspace) }
    scope = newScope
  }

  // MARK: Scope

  private var newScope: WatchScope {
    var scope = WatchScope(
      root: root, ignore: ignoreRules(of: root, patterns: patterns),
      trees: isWhole || indexes[root] == nil ? nil : [],
      directories: configuration)
    for workspace in others.keys where indexes[workspace] == nil {
      scope.outside.insert(workspace)
    }
    for files in outsideInputs.values {
      scope.directories.formUnion(files.map { $0.removingLastComponent() })
    }
    for index in indexes.values {
      addInputs(of: index, to: &scope)
      addPackages(of: index, to: &scope)
      addLinks(of: index, to: &scope)
    }
    return scope
  }

  private func addInputs(of index: TargetIndex, to scope: inout WatchScope) {
    for file in index.inputs.files where !file.hasPrefix("@") {
      scope.directories.insert(index.workspace.pushing(FilePath(file)).removingLastComponent())
    }
    for directory in index.inputs.listings.union(index.inputs.trees) {
      let path = index.workspace.pushing(FilePath(directory))
      scope.directories.formUnion([path, path.removingLastComponent()])
      if index.inputs.trees.contains(directory) { scope.outside.insert(path) }
    }
  }

  private func addPackages(of index: TargetIndex, to scope: inout WatchScope) {
    // With a broken package, the file whose repair matters may lie anywhere.
    if index.workspace == root {
      guard !index.isPartial else { return scope.trees = nil }
      scope.trees?.formUnion(packages(of: index))
    } else {
      scope.directories.insert(index.workspace)
      scope.outside.formUnion(index.isPartial ? [index.workspace] : packages(of: index))
    }
  }

  private func packages(of index: TargetIndex) -> Set<FilePath> {
    Set(
      index.packages.map { package in
        package.isEmpty ? index.workspace : index.workspace.pushing(FilePath(package))
      })
  }

  /// Where links lead: the directory that holds the target, and all below if it is one itself, also
  /// below the packages in it: they are another repository's, or known by the path over the link.
  private func addLinks(of index: TargetIndex, to scope: inout WatchScope) {
    for path in index.linked {
      scope.directories.insert(path.removingLastComponent())
      if Disk.type(of: path) == .directory { scope.outside.insert(path) }
    }
  }

  // MARK: What is ignored

  private func ignoreRules(of workspace: FilePath, patterns: [String] = []) -> IgnoreRules {
    let lines = BazelIgnore.read(in: workspace)
    let needed = needed(in: workspace, despite: IgnoreRules(root: workspace, bazelIgnore: lines))
    return IgnoreRules(root: workspace, bazelIgnore: lines, patterns: patterns, needed: needed)
  }

  /// What images are made from although Bazel looks for no packages there: files that a label names
  /// from above, repositories and workspaces within this one.
  private func needed(in workspace: FilePath, despite rules: IgnoreRules) -> Set<FilePath> {
    var needed = Set(others.keys.filter(rules.ignores))
    for index in indexes.values {
      needed.formUnion(index.linked.filter(rules.ignores))
      guard index.workspace == workspace else { continue }
      let inputs = index.inputs.files.union(index.inputs.listings).union(index.inputs.trees)
      needed.formUnion(
        inputs.filter { !$0.hasPrefix("@") }
          .map { workspace.pushing(FilePath($0)) }.filter(rules.ignores))
      var path: [UInt8] = []
      index.forEachFile { _, label in
        guard label.isInMainRepository else { return }
        path.removeAll(keepingCapacity: true)
        path += label.packageBytes
        if !path.isEmpty { path.append(UInt8(ascii: "/")) }
        path += label.nameBytes
        if rules.wouldIgnore(path) { needed.insert(workspace.pushing(FilePath(label.path))) }
      }
    }
    return needed
  }
}

extension WatchScope {
  /// Tells whether it watches anything that the other does not.
  func reachesBeyond(_ other: WatchScope) -> Bool {
    if ignore != other.ignore { return true }
    func isBelow(_ path: FilePath) -> Bool { other.outside.contains(where: path.starts(with:)) }
    guard outside.allSatisfy(isBelow) else { return true }
    // Where all is watched, all that is not ignored: a file that Bazel reads may lie there too.
    func isInTree(_ path: FilePath) -> Bool {
      other.trees == nil && path.starts(with: root) && !other.ignore.ignores(path)
    }
    guard
      directories.allSatisfy({
        $0 == root || other.directories.contains($0) || isBelow($0) || isInTree($0)
      })
    else { return true }
    guard let known = other.trees else { return false }
    return trees.map { !$0.isSubset(of: known) } ?? true
  }
}

/// The directories that `.bazelignore` lists: Bazel does not look into them.
///
/// Source: https://bazel.build/run/bazelrc#bazelignore
enum BazelIgnore {
  static func read(in workspace: FilePath) -> [String] {
    // Without the file there is nothing to ignore; Bazel reports one that it can't read.
    guard let bytes = try? Disk.read(workspace.appending(".bazelignore"), limit: 1 << 20) else {
      return []
    }
    return String(decoding: bytes, as: UTF8.self)
      .split(whereSeparator: \.isNewline)
      .map { $0.drop(while: \.isWhitespace) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
      .map(String.init)
  }
}
