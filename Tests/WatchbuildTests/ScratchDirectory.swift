import FoundationEssentials
import Glibc
import SystemPackage

/// A directory of a test's own, removed at its end.
final class ScratchDirectory: Sendable {
  /// Absolute, symbolic links resolved.
  let path: FilePath

  init() throws {
    var template = Array("/tmp/watchbuild-tests-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template), let real = realpath(made, nil) else {
      throw Errno(rawValue: errno)
    }
    defer { free(real) }
    path = FilePath(platformString: real)
  }

  deinit {
    // A directory that is left behind in /tmp is no reason to fail a test.
    try? FileManager.default.removeItem(atPath: path.string)
  }

  @discardableResult
  func write(_ text: String, to name: String) throws -> FilePath {
    let file = path.appending(FilePath(name).components)
    try makeDirectory(file.removingLastComponent())
    let descriptor = try FileDescriptor.open(
      file, .writeOnly, options: [.create, .truncate, .closeOnExec],
      permissions: [.ownerReadWrite])
    _ = try descriptor.closeAfter { try descriptor.writeAll(text.utf8) }
    return file
  }

  func makeDirectory(_ name: String) throws -> FilePath {
    let directory = path.appending(FilePath(name).components)
    try makeDirectory(directory)
    return directory
  }

  private func makeDirectory(_ directory: FilePath) throws {
    if mkdir(directory.string, 0o755) == 0 || errno == EEXIST { return }
    guard errno == ENOENT else { throw Errno(rawValue: errno) }
    try makeDirectory(directory.removingLastComponent())
    try makeDirectory(directory)
  }
}
