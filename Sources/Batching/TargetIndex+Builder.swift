package import SystemPackage

extension TargetIndex {
  /// Takes the entries of one query, in any order, and makes the index of them.
  package struct Builder {
    private let workspace: FilePath
    private var labels: [String] = []
    private var nodes: [String: Node] = [:]
    /// What Bazel printed → node; spares making a label canonical more than once.
    private var printed: [String: Node] = [:]
    private var edges: Set<Edge> = []
    private var buildFiles: [String: Node] = [:]
    private var rulesByPackage: [String: Set<Node>] = [:]
    private var files: Set<Node> = []

    private struct Edge: Hashable {
      var read: Node
      var reader: Node
    }

    /// - Parameters:
    ///   - workspace: The workspace's root: absolute, symbolic links resolved.
    ///   - base: An index to add to, when the new answer is partial: what was known of the broken
    ///     part stays known, so that its repair is noticed.
    package init(workspace: FilePath, adding base: TargetIndex? = nil) {
      self.workspace = workspace
      guard let base else { return }
      labels = base.labels
      nodes = base.nodes
      buildFiles = base.buildFiles
      files = Set(base.labels.indices.filter { base.isFile[$0] }.map { Node($0) })
      for read in base.labels.indices {
        for position in base.readerStarts[read]..<base.readerStarts[read + 1] {
          edges.insert(Edge(read: Node(read), reader: base.readers[Int(position)]))
        }
      }
    }

    package mutating func add(_ entry: QueryEntry) {
      switch entry {
      case .rule(let name, _, let inputs):
        let rule = node(name)
        for input in inputs { edges.insert(Edge(read: node(input), reader: rule)) }
        if let label = Label(labels[Int(rule)]), label.repository.isEmpty {
          rulesByPackage[String(label.package), default: []].insert(rule)
        }
      case .generatedFile(let name, let rule):
        edges.insert(Edge(read: node(rule), reader: node(name)))
      case .sourceFile(let name, let loads):
        let file = node(name)
        files.insert(file)
        for load in loads { edges.insert(Edge(read: node(load), reader: file)) }
        if let label = Label(labels[Int(file)]), label.repository.isEmpty,
          BuildFileName.all.contains(String(label.name))
        {
          buildFiles[String(label.package)] = file
        }
      }
    }

    /// - Parameters:
    ///   - images: The configured images of this workspace.
    ///   - isPartial: The query could not read all of the graph.
    ///   - workspaceFiles: What no query reports, relative to the workspace.
    ///   - link: Where a source file, given relative to the workspace, leads if it is a symbolic
    ///     link: relative to the workspace, or absolute outside it.
    /// - Returns: The index of all that was added.
    package consuming func build(
      images: [ImageTarget], isPartial: Bool = false, workspaceFiles: Set<String> = [],
      link: (String) -> String? = { _ in nil }
    ) -> TargetIndex {
      for (package, rules) in rulesByPackage {
        let buildFile = buildFiles[package] ?? node("//\(package):BUILD")
        buildFiles[package] = buildFile
        files.insert(buildFile)
        for rule in rules { edges.insert(Edge(read: buildFile, reader: rule)) }
      }
      var imageNodes: [Node: [String]] = [:]
      for image in images {
        imageNodes[node(image.label.description), default: []].append(image.name)
      }
      let (starts, readers) = sortedReaders()
      return TargetIndex(
        workspace: workspace, isPartial: isPartial, workspaceFiles: workspaceFiles,
        labels: labels, nodes: nodes, readerStarts: starts, readers: readers,
        buildFiles: buildFiles, aliases: aliases(link: link), images: imageNodes,
        isFile: labels.indices.map { files.contains(Node($0)) })
    }

    private mutating func node(_ text: String) -> Node {
      if let node = printed[text] { return node }
      let canonical = Label(text)?.description ?? text
      let node = nodes[canonical] ?? Node(labels.count)
      if node == labels.count {
        labels.append(canonical)
        nodes[canonical] = node
      }
      printed[text] = node
      return node
    }

    private func sortedReaders() -> (starts: [Int32], readers: [Node]) {
      var starts = [Int32](repeating: 0, count: labels.count + 1)
      for edge in edges { starts[Int(edge.read) + 1] += 1 }
      for node in labels.indices { starts[node + 1] += starts[node] }
      var next = starts
      var readers = [Node](repeating: 0, count: edges.count)
      for edge in edges {
        readers[Int(next[Int(edge.read)])] = edge.reader
        next[Int(edge.read)] += 1
      }
      // In order, so that the shortest way told is the same in every run.
      for node in labels.indices {
        readers[Int(starts[node])..<Int(starts[node + 1])].sort()
      }
      return (starts, readers)
    }

    private func aliases(link: (String) -> String?) -> [String: Node] {
      var aliases: [String: Node] = [:]
      for file in files {
        guard let label = Label(labels[Int(file)]), label.repository.isEmpty,
          let target = link(label.path)
        else { continue }
        aliases[target] = file
      }
      return aliases
    }
  }
}

/// The names that make a directory a package.
/// Source: https://bazel.build/concepts/build-files
package enum BuildFileName {
  package static let all: Set<String> = ["BUILD", "BUILD.bazel"]
}

extension Label {
  /// Where a source file of the main repository lies, relative to the workspace.
  package var path: String { package.isEmpty ? String(name) : "\(package)/\(name)" }
}
