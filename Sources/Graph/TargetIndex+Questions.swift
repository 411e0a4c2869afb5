import Basics
package import SystemPackage
package import Watcher

/// Questions that people ask of the index.
extension TargetIndex {
  /// Why a change affects images: for each the shortest way from the file to its target.
  package func explanation(
    of change: FileChange, isPackage: (String) -> Bool = { _ in false }
  ) -> [String: [String]] {
    let meaning = meaning(of: change, isPackage: isPackage)
    guard meaning.isEverything else { return paths(from: meaning.nodes) }
    let file = places(of: change.path.string).first?.path ?? change.path.string
    return images.reduce(into: [:]) { paths, image in
      paths[image.name] = [file, labels[image.node]]
    }
  }

  /// Why a change of a file or target affects images.
  ///
  /// - Returns: `nil` when no image depends on one of that label; a repository may have other names.
  package func explanation(of label: Label) -> [String: [String]]? {
    let change = FileChange(path: workspace.pushing(FilePath(label.path)), kind: .modified)
    if label.repository.isEmpty, inputs.files.contains(label.path) {
      return explanation(of: change)
    }
    let nodes = labels.nodes(called: label)
    return nodes.isEmpty ? nil : paths(from: nodes)
  }

  /// Why a change of a path affects images: for a directory, of every file in the graph that lies below it.
  package func explanation(under change: FileChange) -> [String: [String]] {
    Self.shortest(
      changes(under: change).map { change in
        explanation(of: change) { BuildFileName.marksPackage(workspace.appending($0)) }
      })
  }

  /// The shortest way to each image that any of several explanations has.
  package static func shortest(_ explanations: [[String: [String]]]) -> [String: [String]] {
    explanations.reduce(into: [:]) { all, ways in
      all.merge(ways) { $0.count <= $1.count ? $0 : $1 }
    }
  }

  /// A path as changes of files: for a directory, of every file in the graph that lies below it.
  package func changes(under change: FileChange) -> [FileChange] {
    if change.path == workspace { return files(under: [SourceLinks.Place(path: "")]) }
    let files = files(under: places(of: change.path.string))
    return files.isEmpty ? [change] : files
  }

  private func files(under places: [SourceLinks.Place]) -> [FileChange] {
    guard !places.isEmpty else { return [] }
    var files: [FileChange] = []
    forEachFile { _, label in
      guard places.contains(where: { label.isBelow($0) }),
        let root = label.isInMainRepository
          ? workspace.string : links.roots[String(label.repository)]
      else { return }
      files.append(FileChange(path: FilePath("\(root)/\(label.path)"), kind: .modified))
    }
    return files
  }

  /// Tells whether a path is a file of the graph or one that Bazel reads outside of it, be it there or not,
  /// or a directory of such.
  package func knows(_ path: FilePath) -> Bool {
    let known = inputs.files.union(inputs.listings).union(inputs.trees)
    let relative = places(of: path.string).filter(\.repository.isEmpty).map(\.path)
    return path == workspace || ([path.string] + relative).contains(where: known.contains)
      || links.links[path.string] != nil || !files(under: places(of: path.string)).isEmpty
  }
}
