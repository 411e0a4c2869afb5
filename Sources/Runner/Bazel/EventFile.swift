import Glibc
import SystemPackage

/// The file that Bazel's server writes a build's events to, read by us while it grows.
///
/// A regular file of our own: the server opens the path in its own process, so that `/dev/fd/N`
/// would be one of its files, and a pipe that nobody reads would stop it.
struct EventFile: Sendable {
  private let path: FilePath
  private let descriptor: FileDescriptor
  private var offset: Int64 = 0

  /// Makes the file anew; what is left of an earlier build is removed.
  ///
  /// - Throws: `Errno` when the directory does not exist or can't be written.
  init(creating path: FilePath) throws {
    self.path = path
    path.withPlatformString { _ = unlink($0) }
    descriptor = try FileDescriptor.open(
      path, .readOnly, options: [.create, .exclusiveCreate, .closeOnExec],
      permissions: .ownerReadWrite)
  }

  /// The next bytes that have been added, at most 256 KiB; empty when there are none.
  mutating func readMore() -> [UInt8] {
    let bytes = [UInt8](unsafeUninitializedCapacity: 256 << 10) { buffer, count in
      // A regular file that can't be read has no more for us; the build's end settles what is open.
      count =
        (try? descriptor.read(
          fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(buffer))) ?? 0
    }
    offset += Int64(bytes.count)
    return bytes
  }

  /// Closes and removes the file.
  func remove() {
    // Nothing was written through this descriptor that closing it could lose.
    try? descriptor.close()
    path.withPlatformString { _ = unlink($0) }
  }
}
