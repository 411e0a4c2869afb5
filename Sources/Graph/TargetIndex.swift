import Basics
package import SystemPackage

/// Tells which images a file can change: the build graph of the image targets, turned around.
///
/// One node a label, one edge from whatever is read to what reads it: source → rule → rule → image.
/// A BUILD file is read by every rule of its package and a `.bzl` file by the BUILD files that load
/// it, so that one walk answers for all kinds of path. The index over-approximates (all branches of
/// a `select()`, comments in BUILD files); Bazel settles it by doing nothing.
///
/// Nodes are integers, and labels and edges lie in a few arrays, which are kept on disk as they are.
package struct TargetIndex: Sendable {
  typealias Node = Int32

  /// Absolute, symbolic links resolved.
  package let workspace: FilePath
  /// The query could not read all of the graph: some BUILD file is broken.
  package let isPartial: Bool
  /// Files that Bazel reads outside all packages, and no query reports.
  package var inputs: RepositoryInputs
  /// Bazel's output base, where it has told of it; else it is looked for.
  package var outputBase: FilePath?
  /// Where files of the graph lie that are reached over symbolic links.
  package var links = SourceLinks()

  /// Canonical labels by node.
  let labels: LabelTable
  /// Where the readers of a node start in `readers`; one more than there are nodes.
  let readerStarts: [Int32]
  let readers: [Node]
  /// True if a node is a source, BUILD or `.bzl` file; else a rule or what a rule makes.
  let isFile: [Bool]
  /// The images, and the nodes of their targets.
  let images: [(name: String, node: Node)]
  private let reach: ImageReach

  init(
    workspace: FilePath, isPartial: Bool, inputs: RepositoryInputs, labels: LabelTable,
    readerStarts: [Int32], readers: [Node], isFile: [Bool], images: [(name: String, node: Node)]
  ) {
    self.workspace = workspace
    self.isPartial = isPartial
    self.inputs = inputs
    self.labels = labels
    self.readerStarts = readerStarts
    self.readers = readers
    self.isFile = isFile
    self.images = images
    reach = ImageReach(
      isFile: isFile,
      readers: { readers[Int(readerStarts[Int($0)])..<Int(readerStarts[Int($0) + 1])] },
      images: images.map(\.node))
  }

  /// Source, BUILD and `.bzl` files in the graph.
  package var fileCount: Int {
    isFile.count { $0 } - (labels.node(Builder.untoldLoads) == nil ? 0 : 1)
  }

  /// The files among `inputs`.
  package var workspaceFiles: Set<String> { inputs.files }

  /// The number of labels: the numbers of files are below it.
  package var labelCount: Int { labels.count }

  /// Every image's name.
  package var imageNames: Set<String> { Set(images.map(\.name)) }

  /// The packages of the main repository that images depend on, as paths from the workspace: to be
  /// watched with what is below them.
  package var packages: Set<String> {
    var packages: Set<String> = []
    forEachFile { _, label in
      if label.repository.isEmpty, BuildFileName.contains(label.nameBytes) {
        packages.insert(String(label.package))
      }
    }
    return packages
  }

  /// Where symbolic links lead that are on the way to files of the graph, and what links lie on the
  /// way: absolute, to be watched beside the packages.
  package var linked: Set<FilePath> {
    Set((Array(links.places.keys) + Array(links.links.keys)).map { FilePath($0) })
  }

  /// The images that depend on a target, or are it.
  package func images(dependingOn target: Label) -> Set<String> {
    labels.node(target.description).map { images(from: [$0]) } ?? []
  }

  /// Every file of the graph, with its number.
  package func forEachFile(_ body: (Int, LabelParts) -> Void) {
    for node in isFile.indices where isFile[node] {
      if let parts = LabelParts(labels.bytes(Node(node))) { body(node, parts) }
    }
  }

  // MARK: Walks

  func readers(of node: Node) -> ArraySlice<Node> {
    readers[Int(readerStarts[Int(node)])..<Int(readerStarts[Int(node) + 1])]
  }

  /// - Returns: The images that can be reached from the nodes.
  func images(from starts: [Node]) -> Set<String> {
    var found = reach.empty
    var waiting = starts
    var seen: Set<Node> = []
    while let node = waiting.popLast() {
      // A file of a package and a `.bzl` file are read by files, these by rules.
      guard !reach.form(&found, of: node), seen.insert(node).inserted else { continue }
      waiting += readers(of: node)
    }
    var names = Set<String>(minimumCapacity: found.reduce(0) { $0 + $1.nonzeroBitCount })
    for (word, bits) in found.enumerated() {
      var bits = bits
      while bits != 0 {
        names.insert(images[word * 64 + bits.trailingZeroBitCount].name)
        bits &= bits - 1
      }
    }
    return names
  }

  /// The shortest way from any of the nodes to each image: labels from the file to the target.
  func paths(from starts: [Node]) -> [String: [String]] {
    let names = Dictionary(grouping: images, by: \.node)
    var parents = [Node](repeating: -1, count: labels.count)
    var isSeen = [Bool](repeating: false, count: labels.count)
    var found: [String: [String]] = [:]
    var queue: [Node] = []
    for start in starts where !isSeen[Int(start)] {
      isSeen[Int(start)] = true
      queue.append(start)
    }
    var next = 0
    while next < queue.count {
      let node = queue[next]
      next += 1
      for image in names[node] ?? [] { found[image.name] = path(to: node, parents: parents) }
      for reader in readers(of: node) where !isSeen[Int(reader)] {
        isSeen[Int(reader)] = true
        parents[Int(reader)] = node
        queue.append(reader)
      }
    }
    return found
  }

  private func path(to node: Node, parents: [Node]) -> [String] {
    sequence(first: node) { parents[Int($0)] < 0 ? nil : parents[Int($0)] }
      .map { labels[$0] }.filter { $0 != Builder.untoldLoads && $0 != Builder.joined }.reversed()
  }
}
