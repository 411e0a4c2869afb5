import Basics
import Glibc
package import SystemPackage

/// Finds the Bazel workspace that a directory lies in.
enum Workspace {
  /// Source: https://bazel.build/external/overview#repository
  static let markers = ["MODULE.bazel", "REPO.bazel", "WORKSPACE.bazel", "WORKSPACE"]

  /// The nearest directory at or above that has a marker, symbolic links resolved.
  static func root(above directory: FilePath) throws(Problem) -> FilePath {
    let start = try resolved(directory)
    var candidate = start
    while true {
      if isRoot(candidate) { return candidate }
      guard candidate.removeLastComponent() else { break }
    }
    throw Problem(
      "not inside a Bazel workspace: no MODULE.bazel or WORKSPACE in \(start) or above",
      hint: "run it in one or pass -C DIR")
  }

  static func isRoot(_ directory: FilePath) -> Bool {
    markers.contains { Disk.type(of: directory.appending($0)) == .regular }
  }

  /// The directory's real path.
  private static func resolved(_ directory: FilePath) throws(Problem) -> FilePath {
    do {
      let path = try Disk.realPath(directory)
      guard Disk.type(of: path) == .directory else { throw Errno.notDirectory }
      return path
    } catch {
      throw Problem("can't work in \(directory): \(error)", hint: "pass an existing -C DIR")
    }
  }
}

/// The few questions that are asked of the file system here.
package enum Disk {
  /// The kind of what lies at a path, symbolic links followed; `nil` when it can't be told.
  package static func type(of path: FilePath) -> FileType? {
    // Absent, forbidden or unreachable: for a marker or a candidate all mean "not here".
    try? path.stat().type
  }

  /// Tells whether anything lies at a path, be it a dangling symbolic link.
  package static func exists(_ path: FilePath) -> Bool {
    // What can't be asked for can't be read by a build either.
    (try? path.stat(followTargetSymlink: false)) != nil
  }

  package static func realPath(_ path: FilePath) throws -> FilePath {
    guard let resolved = path.withPlatformString({ realpath($0, nil) }) else {
      throw Errno(rawValue: errno)
    }
    defer { free(resolved) }
    return FilePath(platformString: resolved)
  }

  /// - Throws: `Errno`; `.fileTooLarge` when there is more than `limit` bytes.
  package static func read(_ path: FilePath, limit: Int) throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
    return try file.closeAfter {
      var content: [UInt8] = []
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
      defer { buffer.deallocate() }
      while true {
        let count = try file.read(into: buffer)
        guard count > 0 else { return content }
        content.append(contentsOf: buffer.prefix(count))
        guard content.count <= limit else { throw Errno.fileTooLarge }
      }
    }
  }

  static func checkWritable(_ directory: FilePath) throws {
    if directory.withPlatformString({ access($0, W_OK | X_OK) }) != 0 {
      throw Errno(rawValue: errno)
    }
  }

  package static var currentDirectory: FilePath {
    get throws {
      guard let path = getcwd(nil, 0) else { throw Errno(rawValue: errno) }
      defer { free(path) }
      return FilePath(platformString: path)
    }
  }
}
