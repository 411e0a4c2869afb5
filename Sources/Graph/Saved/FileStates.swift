import Basics
import Glibc
import SystemPackage
import Watcher

/// The states on disk of an index's files and of the directories that globs look into.
///
/// A file's state is one hash of size, modification and change time, inode and mode, of what a
/// link leads to. Of a directory it is a hash of the names in it, asked for only where its times
/// have changed, so that a file saved by renaming is no new one.
struct FileStates {
  struct Directory {
    /// Relative to the workspace, or absolute.
    var path: String
    var times: UInt64
    var names: UInt64
  }

  /// By number of the file in the index; 0 for what is no file of the graph or can't be found.
  private(set) var files: [UInt64] = []
  private(set) var directories: [Directory] = []
  /// Files and directories that changed at a given moment or later, by path.
  private(set) var recent: [FilePath] = []

  // MARK: Recording

  /// - Parameters:
  ///   - index: Whose files.
  ///   - other: Files and directories that are not in the graph, relative to the workspace or
  ///     absolute.
  ///   - query: When the index's query began, in seconds since 1970: a file that changed then or
  ///     later is recorded as unknown.
  ///   - moment: What changed then or later is told in `recent`.
  init(
    of index: TargetIndex, and other: [String], query: Double, changedSince moment: Double
  ) {
    files = [UInt64](repeating: 0, count: index.labelCount + other.count)
    var packages: Set<String> = []
    Self.forEachFile(of: index, and: other) { number, path, status, kind in
      guard let status else { return }
      if status.changed < query { files[number] = Self.state(path, status, kind) }
      if status.changed >= moment { recent.append(FilePath(platformString: path)) }
      if kind == .buildFile { packages.insert(String(cString: path).parentDirectory) }
    }
    let linked = Set(index.links.linkPaths)
    for package in packages.sorted() {
      walk(
        package, isPackage: true, packages: packages, linked: linked, query: query, since: moment)
    }
  }

  private mutating func walk(
    _ directory: String, isPackage: Bool, packages: Set<String>, linked: Set<String>,
    query: Double, since moment: Double
  ) {
    guard let status = directory.withCString({ Status($0) }) else { return }
    var below: [String] = []
    var isOther = false
    let names = Self.names(in: directory) { name, kind in
      if !isPackage, kind != .directory, BuildFileName.contains(name) {
        isOther = isOther || BuildFileName.marksPackage(FilePath(directory))
      }
      guard name != ".git", kind != .other else { return }
      let path = "\(directory)/\(name)"
      // Links are followed where the graph does; packages come by themselves.
      if kind == .directory || linked.contains(path), !packages.contains(path) {
        below.append(path)
      }
    }
    directories.append(
      Directory(
        path: directory, times: status.changed < query ? status.hash : 0,
        // What came while the query ran may not be in its answer.
        names: status.changed < query ? names : 0))
    if status.changed >= moment { recent.append(FilePath(directory)) }
    // A glob does not look into another package, but its border may come to lie elsewhere.
    guard !isOther else { return }
    for path in below {
      walk(path, isPackage: false, packages: packages, linked: linked, query: query, since: moment)
    }
  }

  // MARK: Comparing

  /// Finds the changes since the states were recorded.
  func changes(in index: TargetIndex, and other: [String]) -> [FileChange] {
    var changes: [FileChange] = []
    var known: Set<String> = []
    let root = Root(index.workspace)
    let moved = directories.filter { directory in
      directory.path.withCString { root.status($0)?.hash } != directory.times
    }.filter { Self.names(in: $0.path) { _, _ in } != $0.names }
    Self.forEachFile(of: index, and: other) { number, path, status, kind in
      guard number < files.count else { return }
      if !moved.isEmpty { known.insert(String(cString: path)) }
      let now = status.map { Self.state(path, $0, kind) } ?? 0
      guard now != files[number] else { return }
      let change: FileChange.Kind =
        status == nil ? .deleted : files[number] == 0 ? .created : .modified
      changes.append(FileChange(path: FilePath(platformString: path), kind: change))
    }
    for directory in moved { Self.tellNew(in: directory.path, known, &changes) }
    return changes
  }

  /// Paths that may have come: all that the graph does not know, with the paths below them.
  private static func tellNew(
    in directory: String, _ known: Set<String>, _ changes: inout [FileChange]
  ) {
    var below: [String] = []
    _ = names(in: directory) { name, kind in
      let path = "\(directory)/\(name)"
      guard !known.contains(path), name != ".git" else { return }
      if kind == .directory { below.append(path) }
      changes.append(FileChange(path: FilePath(path), kind: .created))
    }
    for path in below { tellNew(in: path, known, &changes) }
  }

  // MARK: Disk

  private struct Status {
    var hash: UInt64
    var changed: Double
    var isDirectory: Bool

    /// The content of a file, whenever it was written.
    init?(contentAt path: UnsafePointer<CChar>) {
      guard case .hash(let hash) = FileContent.look(at: FilePath(platformString: path)) else {
        return nil
      }
      self.hash = hash | 1
      changed = 0
      isDirectory = false
    }

    /// - Parameter directory: What a relative path is relative to.
    init?(_ path: UnsafePointer<CChar>, in directory: Int32 = AT_FDCWD) {
      var status = stat()
      guard fstatat(directory, path, &status, 0) == 0 else { return nil }
      isDirectory = status.st_mode & S_IFMT == S_IFDIR
      changed = FileClock.seconds(status.st_ctim)
      hash =
        Checksum.mix(
          UInt64(bitPattern: Int64(status.st_size)),
          UInt64(
            bitPattern: Int64(status.st_mtim.tv_sec) &* 1_000_000_000
              &+ Int64(status.st_mtim.tv_nsec)),
          UInt64(
            bitPattern: Int64(status.st_ctim.tv_sec) &* 1_000_000_000
              &+ Int64(status.st_ctim.tv_nsec)),
          UInt64(status.st_ino), UInt64(status.st_mode)) | 1
    }
  }

  /// The workspace, held open, so that the way to it is not walked for each of its files.
  private final class Root {
    private let descriptor: Int32
    private let prefix: [CChar]

    init(_ workspace: FilePath) {
      descriptor = workspace.withPlatformString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
      prefix = workspace.string.utf8.map { CChar(bitPattern: $0) } + [0x2f]
    }

    deinit {
      if descriptor >= 0 { close(descriptor) }
    }

    /// - Parameter path: Absolute.
    func status(_ path: UnsafePointer<CChar>) -> Status? {
      guard descriptor >= 0, strncmp(path, prefix, prefix.count) == 0 else { return Status(path) }
      return Status(path + prefix.count, in: descriptor)
    }
  }

  private enum Kind {
    case buildFile, file
    /// Only the names in it count, if it is a directory.
    case listing
    /// Only its content counts: Bazel writes it anew at the end of each build.
    case bazelsOwn
  }

  private static func state(
    _ path: UnsafePointer<CChar>, _ status: Status, _ kind: Kind
  ) -> UInt64 {
    guard status.isDirectory else { return status.hash }
    let directory = String(cString: path)
    return kind == .listing ? names(in: directory) { _, _ in } | 1 : tree(directory)
  }

  /// Calls with each file's number, absolute path, in one buffer, and what it is.
  private static func forEachFile(
    of index: TargetIndex, and other: [String],
    _ body: (Int, UnsafePointer<CChar>, Status?, Kind) -> Void
  ) {
    let workspace = Root(index.workspace)
    var path: [CChar] = []
    func call(_ number: Int, _ kind: Kind) {
      path.append(0)
      path.withUnsafeBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return }
        let status = kind == .bazelsOwn ? Status(contentAt: start) : workspace.status(start)
        body(number, start, status, kind)
      }
    }
    let root = index.workspace.string.utf8.map { CChar(bitPattern: $0) } + [0x2f]
    index.forEachFile { number, label in
      path.removeAll(keepingCapacity: true)
      if label.isInMainRepository {
        path += root
      } else if let repository = index.links.roots[String(label.repository)] {
        path += repository.utf8.map { CChar(bitPattern: $0) } + [0x2f]
      } else {
        return
      }
      for byte in label.packageBytes { path.append(CChar(bitPattern: byte)) }
      if !label.packageBytes.isEmpty { path.append(0x2f) }
      for byte in label.nameBytes { path.append(CChar(bitPattern: byte)) }
      call(number, BuildFileName.contains(label.nameBytes) ? .buildFile : .file)
    }
    for (position, file) in other.enumerated() {
      path = (file.hasPrefix("/") ? [] : root) + file.utf8.map { CChar(bitPattern: $0) }
      let kind: Kind = index.inputs.listings.contains(file) ? .listing : .file
      call(
        index.labelCount + position,
        BazelsOwnNames.all.contains(file) ? .bazelsOwn : kind)
    }
  }

  /// - Returns: A hash of the names, in whatever order they come.
  private static func names(
    in directory: String, _ body: (String, DirectoryEntries.Kind) -> Void
  ) -> UInt64 {
    var sum: UInt64 = 0
    DirectoryEntries.forEach(in: FilePath(directory)) { name, kind in
      let text = String(cString: name)
      sum &+= Checksum.of(Array(text.utf8)[...])
      body(text, kind)
    }
    return sum
  }

  /// A source that is a directory: all that is in it, in whatever order it comes.
  private static func tree(_ directory: String) -> UInt64 {
    var sum: UInt64 = 1
    _ = names(in: directory) { name, kind in
      let path = "\(directory)/\(name)"
      sum &+= path.withCString { Status($0)?.hash ?? 0 }
      if kind == .directory { sum &+= tree(path) }
    }
    return sum | 1
  }

  // MARK: Bytes

  func write(to writer: inout BinaryWriter) {
    writer.write(files)
    writer.write(directories.map(\.path))
    writer.write(directories.map(\.times))
    writer.write(directories.map(\.names))
  }

  init(reading reader: inout BinaryReader) throws(BinaryReader.Malformed) {
    files = try reader.readArray()
    let paths = try reader.readTexts()
    let times = try reader.readArray(of: UInt64.self)
    let names = try reader.readArray(of: UInt64.self)
    guard paths.count == times.count, paths.count == names.count else {
      throw BinaryReader.Malformed()
    }
    directories = paths.indices.map {
      Directory(path: paths[$0], times: times[$0], names: names[$0])
    }
  }
}

extension String {
  fileprivate var parentDirectory: String {
    utf8.lastIndex(of: UInt8(ascii: "/")).map { String(self[..<$0]) } ?? ""
  }
}
