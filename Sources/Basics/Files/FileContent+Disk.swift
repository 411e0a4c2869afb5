import Glibc
package import SystemPackage

extension FileContent {
  /// A file as large as this is not read: its change is always news.
  private static let limit = 16 << 20

  /// Looks at a path now.
  ///
  /// Reads the whole file. A pipe or a device is never opened to be read from.
  ///
  /// - Returns: `nil` where it can't be told: a directory, a large file, one that can't be read.
  @Sendable package static func look(at path: FilePath) -> FileContent? {
    var status = stat()
    guard path.withPlatformString({ lstat($0, &status) }) == 0 else {
      return errno == ENOENT || errno == ENOTDIR ? .absent : nil
    }
    switch status.st_mode & S_IFMT {
    case S_IFLNK:
      return SymbolicLink.target(of: path).map {
        .hash(Checksum.mix(2, Checksum.of(Array($0.string.utf8)[...])))
      }
    case S_IFREG where status.st_size <= limit:
      return read(path)
    default:
      return nil
    }
  }

  private static func read(_ path: FilePath) -> FileContent? {
    // It may have become anything since: no pipe without a writer is waited for.
    let descriptor = path.withPlatformString {
      open($0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    }
    guard descriptor >= 0 else { return errno == ENOENT ? .absent : nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_size <= limit
    else { return nil }
    var hash = status.st_mode & 0o111 != 0 ? UInt64(1) : 0
    var total = 0
    var buffer = [UInt8](repeating: 0, count: min(Int(status.st_size) + 1, 1 << 18))
    while total <= limit {
      let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      guard count >= 0 else { return nil }
      guard count > 0 else { return .hash(hash) }
      hash = Checksum.mix(hash, Checksum.of(buffer[..<count]))
      total += count
    }
    return nil
  }
}
