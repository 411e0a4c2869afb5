import Basics
package import SystemPackage

extension TargetIndex {
  /// Takes the entries of one query, in any order, and makes the index of them.
  package struct Builder: Sendable {
    private let workspace: FilePath
    private var labels = LabelTable()
    /// Nodes that are read and their readers, in two arrays; an edge may come more than once.
    private var reads: [Node] = []
    private var readers: [Node] = []
    private var rules: [Node] = []
    private var files: [Node] = []
    /// BUILD files of the main repository of which Bazel does not tell what they load.
    private var untold: [Node] = []
    /// The `.bzl` files of the main repository.
    private var extensions: [Node] = []

    /// No label: the node between the `.bzl` files and the BUILD files of unknown loads.
    static let untoldLoads = "(loads of BUILD.bazel files)"
    /// No label: the node between the targets that every image depends on and the images.
    static let joined = "(toolchains and platforms)"

    /// - Parameters:
    ///   - workspace: The workspace's root: absolute, symbolic links resolved.
    ///   - base: An index to add to; see `merge`.
    package init(workspace: FilePath, adding base: TargetIndex? = nil) {
      self.workspace = workspace
      if let base { merge(base) }
    }

    package mutating func add(_ entry: QueryEntry) {
      switch entry {
      case .rule(let name, _, let inputs):
        let rule = node(name)
        rules.append(rule)
        for input in inputs { edge(from: node(input), to: rule) }
      case .generatedFile(let name, let rule):
        edge(from: node(rule), to: node(name))
      case .sourceFile(let name, let loads):
        let file = node(name)
        files.append(file)
        if !name.hasPrefix("@") || name.hasPrefix("@//") || name.hasPrefix("@@//") {
          if loads.isEmpty, name.hasSuffix(":" + BuildFileName.long) { untold.append(file) }
          if name.hasSuffix(".bzl") { extensions.append(file) }
        }
        for load in loads {
          let load = node(load)
          files.append(load)
          edge(from: load, to: file)
        }
      }
    }

    /// Adds what an older index knew, when the new answer is partial: what was known of the broken
    /// part stays known, so that its repair is noticed.
    package mutating func merge(_ base: TargetIndex) {
      let numbers = base.isFile.indices.map { node(base.labels[Node($0)]) }
      for read in base.isFile.indices {
        if base.isFile[read] { files.append(numbers[read]) }
        for reader in base.readers(of: Node(read)) {
          edge(from: numbers[read], to: numbers[Int(reader)])
        }
      }
    }

    /// - Parameters:
    ///   - images: The configured images of this workspace.
    ///   - isPartial: The query could not read all of the graph.
    ///   - workspaceFiles: What no query reports, relative to the workspace.
    ///   - joined: Targets that all images depend on without saying so, as toolchains are; all that
    ///     was added is there for an image's sake or for theirs.
    /// - Returns: The index of all that was added.
    package consuming func build(
      images: [ImageTarget], isPartial: Bool = false, workspaceFiles: Set<String> = [],
      joined: Set<LabelPattern> = []
    ) -> TargetIndex {
      let images = images.map { (name: $0.name, node: image($0.label)) }
      if !joined.isEmpty { join(joined, to: images.map(\.node)) }
      assumeLoads()
      var isFile = addBuildFiles()
      isFile += [Bool](repeating: false, count: labels.count - isFile.count)
      let (starts, sorted) = sortedReaders()
      return TargetIndex(
        workspace: workspace, isPartial: isPartial, inputs: RepositoryInputs(files: workspaceFiles),
        labels: labels, readerStarts: starts, readers: sorted, isFile: isFile, images: images)
    }

    /// Lets a BUILD file of unknown loads read every `.bzl` file of the workspace.
    ///
    /// Bazel tells the loads only of files that are named just `BUILD`. Too many images may be built
    /// again after a change to a `.bzl` file, but never too few.
    /// Source: ProtoOutputFormatter.java in Bazel 4.2.3
    private mutating func assumeLoads() {
      guard !untold.isEmpty, !extensions.isEmpty else { return }
      // One node between them: as many edges as files, not as pairs of them.
      let between = node(Self.untoldLoads)
      files.append(between)
      for file in extensions { edge(from: file, to: between) }
      for file in untold { edge(from: between, to: file) }
    }

    /// An image's target.
    ///
    /// Bazel may have answered with another name of its repository: then the image is whatever has
    /// its package and name in any.
    private mutating func image(_ label: Label) -> Node {
      let others = labels.nodes(called: label)
      let image = node(label.description)
      for other in others where other != image { edge(from: other, to: image) }
      return image
    }

    /// Lets every image read the targets, and the rules that nothing else reads: they are in the
    /// answer only because these were asked for.
    private mutating func join(_ patterns: Set<LabelPattern>, to images: [Node]) {
      let read = Set(reads).union(images)
      let joined = node(Self.joined)
      let prefixes = patterns.map { (pattern: $0, prefix: Array($0.prefix.utf8)) }
      for node in Set(rules).union(patterns.compactMap { $0.label.flatMap(file) }) {
        let isMatched = prefixes.contains { pattern, prefix in
          labels.bytes(node).starts(with: prefix)
            && Label(labels[node]).map(pattern.matches) ?? false
        }
        if isMatched || !read.contains(node) { edge(from: node, to: joined) }
      }
      for image in images { edge(from: joined, to: image) }
    }

    private func file(_ label: Label) -> Node? { labels.node(label.description) }

    private mutating func edge(from read: Node, to reader: Node) {
      reads.append(read)
      readers.append(reader)
    }

    private mutating func node(_ text: String) -> Node {
      var text = text
      if let node = text.withUTF8({ Self.isCanonical($0) ? labels.insert($0) : nil }) {
        return node
      }
      var canonical = Label(text)?.description ?? text
      return canonical.withUTF8 { labels.insert($0) }
    }

    /// Tells whether it is as `Label` would write it: `//package:name` or `@repository//package:name`.
    private static func isCanonical(_ text: LabelTable.Text) -> Bool {
      guard text.count > 3, text.contains(UInt8(ascii: ":")) else { return false }
      if text[0] == UInt8(ascii: "/") { return text[1] == UInt8(ascii: "/") }
      // `@//` and `@@//` are the main repository.
      return text[0] == UInt8(ascii: "@") && text[1] != UInt8(ascii: "/")
        && !(text[1] == UInt8(ascii: "@") && text[2] == UInt8(ascii: "/"))
    }

    /// Lets each rule read its package's BUILD file; where images depend on no rule of a package, only
    /// on files that it exports, these read it.
    ///
    /// - Returns: Whether each node is a file.
    private mutating func addBuildFiles() -> [Bool] {
      var packagesWithRules: Set<[UInt8]> = []
      for rule in rules {
        guard let package = package(of: rule) else { continue }
        packagesWithRules.insert(package)
        if let file = buildFile(in: package) {
          edge(from: file, to: rule)
        } else {
          let file = (package + Array(BuildFileName.plain.utf8)).withUnsafeBufferPointer {
            labels.insert($0)
          }
          files.append(file)
          edge(from: file, to: rule)
        }
      }
      for source in Set(files) {
        guard let package = package(of: source), !packagesWithRules.contains(package),
          let file = buildFile(in: package), file != source
        else { continue }
        edge(from: file, to: source)
      }
      var isFile = [Bool](repeating: false, count: labels.count)
      for file in files { isFile[Int(file)] = true }
      // What was a file when the old answer was given may be a rule now.
      for rule in rules { isFile[Int(rule)] = false }
      return isFile
    }

    /// `//package:`, as bytes.
    private func package(of node: Node) -> [UInt8]? {
      let label = labels.bytes(node)
      return label.firstIndex(of: UInt8(ascii: ":")).map { Array(label[...$0]) }
    }

    /// The BUILD file that is in effect: Bazel takes `BUILD.bazel` where there are both.
    private func buildFile(in package: [UInt8]) -> Node? {
      BuildFileName.all.lazy.compactMap { labels.node(package + Array($0.utf8)) }.first
    }

    private func sortedReaders() -> (starts: [Int32], readers: [Node]) {
      var ends = [Int32](repeating: 0, count: labels.count + 1)
      for read in reads { ends[Int(read) + 1] += 1 }
      for node in 0..<labels.count { ends[node + 1] += ends[node] }
      var next = ends
      var sorted = [Node](repeating: 0, count: reads.count)
      for (read, reader) in zip(reads, readers) {
        sorted[Int(next[Int(read)])] = reader
        next[Int(read)] += 1
      }
      // In order, so that the shortest way told is the same in every run; and each once.
      var starts: [Int32] = [0]
      starts.reserveCapacity(labels.count + 1)
      var count = 0
      for node in 0..<labels.count {
        let range = Int(ends[node])..<Int(ends[node + 1])
        if range.count > 1 { sorted[range].sort() }
        let first = count
        for position in range where count == first || sorted[count - 1] != sorted[position] {
          sorted[count] = sorted[position]
          count += 1
        }
        starts.append(Int32(count))
      }
      return (starts, Array(sorted[..<count]))
    }
  }
}

extension Label {
  /// Where a source file lies, relative to its repository.
  package var path: String { package.isEmpty ? String(name) : "\(package)/\(name)" }
}
