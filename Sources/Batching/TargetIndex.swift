package import SystemPackage

/// Which images a file can change: the build graph of the image targets, turned around.
///
/// One node a label, one edge from whatever is read to what reads it: source → rule → rule → image.
/// A BUILD file is read by every rule of its package and a `.bzl` file by the BUILD files that load
/// it, so that one walk answers for all kinds of path. The index over-approximates (all branches of
/// a `select()`, comments in BUILD files); Bazel settles it by doing nothing.
///
/// Nodes are integers and edges lie in one array; a look-up allocates one bit field and its answer.
package struct TargetIndex: Sendable {
  typealias Node = Int32

  /// Absolute, symbolic links resolved.
  package let workspace: FilePath
  /// The query could not read all of the graph: some BUILD file is broken.
  package let isPartial: Bool
  /// Files that Bazel reads before any package and no query reports: WORKSPACE's and MODULE.bazel's
  /// `.bzl` files, imported `.bazelrc` files. Relative to the workspace.
  package let workspaceFiles: Set<String>

  /// Canonical labels by node.
  let labels: [String]
  let nodes: [String: Node]
  /// Where the readers of a node start in `readers`; one more than there are nodes.
  let readerStarts: [Int32]
  let readers: [Node]
  /// The node of a package's BUILD file, by the package's path in the main repository.
  let buildFiles: [String: Node]
  /// Where the link of a source file that is a symbolic link leads, relative or absolute.
  let aliases: [String: Node]
  /// Names of the images by the node of their target.
  let images: [Node: [String]]

  /// Whether a node is a source, BUILD or `.bzl` file; else a rule or what a rule makes.
  let isFile: [Bool]

  /// Source, BUILD and `.bzl` files in the graph.
  package var fileCount: Int { isFile.count { $0 } }

  /// Every image's name.
  package var imageNames: Set<String> { Set(images.values.joined()) }

  /// The packages of the main repository that images depend on, as paths from the workspace, to be
  /// watched with what is below them.
  ///
  /// `nil`: all of the workspace. Where the graph is known in part, the file whose repair matters
  /// may lie anywhere.
  package var watchedPackages: Set<String>? { isPartial ? nil : Set(buildFiles.keys) }

  /// Directories to be watched beside the packages: of files that no package holds, and of what
  /// symbolic links among the sources lead to. Relative to the workspace, or absolute.
  package var watchedDirectories: Set<String> {
    Set((workspaceFiles.union(aliases.keys)).map { String(Substring($0).parent) })
  }

  /// The images that depend on a target, or are it.
  package func images(dependingOn target: Label) -> Set<String> {
    nodes[target.description].map { images(from: [$0]) } ?? []
  }

  // MARK: Walks

  /// - Returns: The images that can be reached from the nodes.
  func images(from starts: [Node]) -> Set<String> {
    var found: Set<String> = []
    walk(from: starts) { node, _ in
      if let names = images[node] { found.formUnion(names) }
    }
    return found
  }

  /// The shortest way from any of the nodes to each image: labels from the file to the target.
  func paths(from starts: [Node]) -> [String: [String]] {
    var parents: [Node: Node] = [:]
    var found: [String: [String]] = [:]
    walk(from: starts) { node, parent in
      parents[node] = parent
      guard let names = images[node] else { return }
      var path: [String] = []
      var step: Node? = node
      while let current = step {
        path.append(labels[Int(current)])
        step = parents[current]
      }
      for name in names { found[name] = path.reversed() }
    }
    return found
  }

  /// Visits every node that can be reached, nearest first, each once, with the node it came from.
  private func walk(from starts: [Node], visit: (Node, Node?) -> Void) {
    var isSeen = [Bool](repeating: false, count: labels.count)
    var queue: [(node: Node, parent: Node?)] = []
    for start in starts where !isSeen[Int(start)] {
      isSeen[Int(start)] = true
      queue.append((start, nil))
    }
    var next = 0
    while next < queue.count {
      let (node, parent) = queue[next]
      next += 1
      visit(node, parent)
      for position in readerStarts[Int(node)]..<readerStarts[Int(node) + 1] {
        let reader = readers[Int(position)]
        guard !isSeen[Int(reader)] else { continue }
        isSeen[Int(reader)] = true
        queue.append((reader, node))
      }
    }
  }
}
