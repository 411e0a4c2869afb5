import Glibc
import SystemPackage

@testable import Watcher

/// Does random things to a tree of files, and knows what is in it.
struct RandomTree {
  let root: FilePath
  /// A place on the same file system that nobody watches.
  let outside: FilePath
  private var random: SeededGenerator
  private var serial = 0

  init(root: FilePath, outside: FilePath, seed: UInt64) {
    self.root = root
    self.outside = outside
    random = SeededGenerator(seed: seed)
  }

  /// What one can see of a file: content, kind and execute bit.
  typealias Snapshot = [FilePath: String]

  func snapshot() -> Snapshot {
    var files: Snapshot = [:]
    Self.walk(root) { path, isDirectory in
      if !isDirectory { files[path] = Self.look(path) }
    }
    return files
  }

  /// The paths whose state differs.
  static func differences(_ before: Snapshot, _ after: Snapshot) -> Set<FilePath> {
    Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
  }

  // MARK: Operations

  /// One operation. Any of them may fail, for random paths collide; that is a case, too.
  mutating func step() {
    serial += 1
    let (a, b) = (randomPath(), randomPath())
    switch Int.random(in: 0..<22, using: &random) {
    case 0...4: write(a)
    case 5...6: replace(a)
    case 7...8: unlink(a)
    case 9...10: makeDirectories(a)
    case 11...13: rename(a, b)
    case 14: remove(a)
    case 15: symlink(a)
    case 16:
      call(a) { path in
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return -1 }
        return chmod(path, status.st_mode & 0o777 ^ 0o111)
      }
    case 17: rename(a, outside.appending("\(serial)"))
    case 18: bringIn(a)
    case 19: exchange(a, b)
    case 20:
      makeDirectories(a)
      write(a.appending("deep"))
    default:
      write(a)
      unlink(a)
    }
  }

  /// Two to four names from a small stock, so that operations meet.
  private mutating func randomPath() -> FilePath {
    let names = ["a", "b", "c", "d", "e f", "docs", "x.log", "bazel-out", "BUILD", ".git"]
    var path = root
    for _ in 0...Int.random(in: 0...3, using: &random) {
      // The later a name, the rarer.
      let limit = Int.random(in: 1...names.count, using: &random)
      path.append(names[Int.random(in: 0..<limit, using: &random)])
    }
    return path
  }

  private func write(_ path: FilePath) {
    put(path, flags: O_WRONLY | O_CREAT | O_TRUNC)
  }

  private func replace(_ path: FilePath) {
    let temporary = path.removingLastComponent().appending("tmp\(serial)")
    put(temporary, flags: O_WRONLY | O_CREAT | O_EXCL)
    rename(temporary, path)
    unlink(temporary)
  }

  private func put(_ path: FilePath, flags: Int32) {
    let descriptor = path.withPlatformString { open($0, flags | O_NOFOLLOW | O_CLOEXEC, 0o644) }
    guard descriptor >= 0 else { return }
    let text = "\(serial)"
    _ = text.withCString { Glibc.write(descriptor, $0, strlen($0)) }
    close(descriptor)
  }

  private func makeDirectories(_ path: FilePath) {
    if path != root { makeDirectories(path.removingLastComponent()) }
    call(path) { mkdir($0, 0o755) }
  }

  private func symlink(_ path: FilePath) {
    call(path) { Glibc.symlink("target-\(serial)", $0) }
  }

  private func unlink(_ path: FilePath) {
    call(path) { Glibc.unlink($0) }
  }

  private func remove(_ path: FilePath) {
    Self.walk(path, childrenFirst: true) { path, _ in call(path) { Glibc.remove($0) } }
    call(path) { Glibc.remove($0) }
  }

  private func rename(_ from: FilePath, _ to: FilePath) {
    call(from) { from in to.withPlatformString { Glibc.rename(from, $0) } }
  }

  private func exchange(_ from: FilePath, _ to: FilePath) {
    call(from) { from in
      to.withPlatformString { to in Self.renameat2?(AT_FDCWD, from, AT_FDCWD, to, 2) ?? -1 }
    }
  }

  /// Not in Swift's Glibc module. 2 is RENAME_EXCHANGE.
  private static let renameat2: Renameat2? =
    dlsym(nil, "renameat2").map { unsafeBitCast($0, to: Renameat2.self) }

  private typealias Renameat2 =
    @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32

  /// A tree made elsewhere appears at once.
  private func bringIn(_ path: FilePath) {
    let tree = outside.appending("in-\(serial)")
    call(tree) { mkdir($0, 0o755) }
    call(tree.appending("sub")) { mkdir($0, 0o755) }
    write(tree.appending("f"))
    write(tree.appending("sub").appending("g"))
    rename(tree, path)
  }

  private func call(_ path: FilePath, _ body: (UnsafePointer<CChar>) -> Int32) {
    _ = path.withPlatformString(body)
  }

  // MARK: Looking

  private static func look(_ path: FilePath) -> String {
    path.withPlatformString { text in
      var status = stat()
      guard lstat(text, &status) == 0 else { return "gone" }
      var bytes = [CChar](repeating: 0, count: 256)
      if status.st_mode & S_IFMT == S_IFLNK {
        readlink(text, &bytes, bytes.count - 1)
      } else if let file = fopen(text, "r") {
        fread(&bytes, 1, bytes.count - 1, file)
        fclose(file)
      }
      let content = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8($0) }, as: UTF8.self)
      return "\(status.st_mode & (S_IFMT | 0o111)) \(content)"
    }
  }

  private static func walk(
    _ directory: FilePath, childrenFirst: Bool = false, _ body: (FilePath, Bool) -> Void
  ) {
    var entries: [(FilePath, Bool)] = []
    _ = directory.withPlatformString { text in
      DirectoryListing.read(text) { _, name, isDirectory in
        entries.append((directory.appending(String(decoding: name, as: UTF8.self)), isDirectory))
      }
    }
    for (path, isDirectory) in entries {
      if !childrenFirst { body(path, isDirectory) }
      if isDirectory { walk(path, childrenFirst: childrenFirst, body) }
      if childrenFirst { body(path, isDirectory) }
    }
  }
}
