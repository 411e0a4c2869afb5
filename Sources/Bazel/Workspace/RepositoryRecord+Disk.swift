import Basics
import Graph
import SystemPackage

extension RepositoryRecord {
  /// What Bazel calls a record, beside the contents in its cache of these.
  private static let cacheSuffix = ".recorded_inputs"
  /// Bytes of one record: a lock file of many modules is the largest.
  private static let maximumSize = 64 << 20

  /// Tells whether a repository lies in the cache that Bazel shares between workspaces, where nobody edits
  /// it.
  ///
  /// - Parameter directory: Links resolved.
  static func isCached(_ directory: FilePath) -> Bool {
    BuildFileName.isFile(FilePath(directory.string + cacheSuffix))
  }

  /// All that Bazel has written down of repositories and module extensions.
  static func all(in outputBase: FilePath, workspace: FilePath) -> [RepositoryRecord] {
    let external = outputBase.appending("external")
    var markers: [FilePath] = []
    DirectoryEntries.forEach(in: external) { name, kind in
      let name = String(cString: name)
      if name.hasSuffix(".marker") { markers.append(external.appending(name)) }
      guard kind == .link, let directory = SymbolicLink.real(external.appending(name)) else {
        return
      }
      // In the cache, or in the directory of --vendor_dir.
      markers.append(FilePath(directory.string + cacheSuffix))
      markers.append(directory.removingLastComponent().appending("@\(name).marker"))
    }
    // Most have none of these files.
    let lockFiles = [workspace, outputBase].map { $0.appending("MODULE.bazel.lock") }
    return markers.compactMap { SmallFile.text(of: $0, limit: maximumSize) }
      .map { RepositoryRecord(marker: $0) }
      + lockFiles.compactMap { SmallFile.text(of: $0, limit: maximumSize) }
      .map { RepositoryRecord(lockFile: $0) }
  }
}

extension RepositoryInputs {
  /// The files that people may edit, of all that Bazel has written down.
  init(recordedIn outputBase: FilePath, workspace: FilePath) {
    self.init()
    for record in RepositoryRecord.all(in: outputBase, workspace: workspace) {
      for input in record.inputs {
        switch input {
        case .file(let place):
          files.formUnion(Self.paths(of: place, outputBase, workspace))
        case .listing(let place):
          listings.formUnion(Self.paths(of: place, outputBase, workspace))
        case .tree(let place):
          trees.formUnion(Self.paths(of: place, outputBase, workspace))
        }
      }
    }
  }

  private static func paths(
    of place: RepositoryRecord.Place, _ outputBase: FilePath, _ workspace: FilePath
  ) -> [String] {
    var file: FilePath
    switch place {
    case .absolute(let path): file = FilePath(path)
    case .inRepository("", let path): file = workspace.pushing(FilePath(path))
    case .inRepository(let name, let path):
      file = outputBase.appending("external").appending(name).pushing(FilePath(path))
    }
    file = file.lexicallyNormalized()
    return SymbolicLink.places(of: file)
      // What another rule has made, nobody edits.
      .filter { !$0.starts(with: outputBase) }
      .map { $0.relative(to: workspace) }
  }
}

extension FilePath {
  /// The path from a directory on where it lies below it; else as it is. Of the directory itself
  /// empty.
  func relative(to directory: FilePath) -> String {
    var path = self
    return path.removePrefix(directory) ? path.string : string
  }
}
