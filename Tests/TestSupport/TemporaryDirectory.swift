import Glibc
package import SystemPackage

/// A directory of a test's own, removed with all that is in it when the last reference goes.
package final class TemporaryDirectory: Sendable {
  /// Absolute, without symbolic links.
  package let path: FilePath

  /// - Throws: `Errno` when no directory can be made.
  package init() throws { path = try Self.make() }

  deinit { Self.remove(path) }

  /// Makes a directory that the caller removes.
  ///
  /// Its path is short, because that of a socket in it has at most 107 bytes.
  package static func make() throws -> FilePath {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    guard let real = realpath(parent, nil) else { throw Errno(rawValue: errno) }
    defer { free(real) }
    var template = Array(String(cString: real).utf8CString.dropLast())
    template += Array("/wb-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
    return template.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { FilePath(platformString: $0) } ?? FilePath()
    }
  }

  /// The path of something in it.
  package func appending(_ relative: String) -> FilePath { path.pushing(FilePath(relative)) }

  /// Writes a file, and makes the directories that it is in.
  @discardableResult
  package func write(
    _ text: String = "", to relative: String, mode: UInt16 = 0o644
  ) throws -> FilePath {
    let file = appending(relative)
    try makeDirectory(file.removingLastComponent())
    let descriptor = try FileDescriptor.open(
      file, .writeOnly, options: [.create, .truncate],
      permissions: FilePermissions(rawValue: CInterop.Mode(mode)))
    _ = try descriptor.closeAfter { try descriptor.writeAll(text.utf8) }
    return file
  }

  /// Makes a directory and those that it is in.
  @discardableResult
  package func makeDirectory(_ relative: String) throws -> FilePath {
    let directory = appending(relative)
    try makeDirectory(directory)
    return directory
  }

  private func makeDirectory(_ directory: FilePath) throws {
    let status = directory.withPlatformString { mkdir($0, 0o755) }
    guard status != 0 else { return }
    if errno == EEXIST { return }
    guard errno == ENOENT, directory != path else { throw Errno(rawValue: errno) }
    try makeDirectory(directory.removingLastComponent())
    guard directory.withPlatformString({ mkdir($0, 0o755) }) == 0 else {
      throw Errno(rawValue: errno)
    }
  }

  /// As `rm -rf`. What can't be removed stays: a test's verdict does not hang on it.
  package static func remove(_ path: FilePath) {
    path.withPlatformString { text in
      guard unlink(text) != 0, let directory = opendir(text) else { return }
      // A test may have taken the permission to remove what is in it.
      chmod(text, 0o700)
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { FilePath(platformString: $0) }
        }
        if let name = name.lastComponent, name.kind == .regular { remove(path.appending(name)) }
      }
      closedir(directory)
      rmdir(text)
    }
  }
}
