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
  /// Kept, because most reads find nothing new.
  private var buffer = [UInt8](repeating: 0, count: 256 << 10)

  /// Makes the file anew; what is left of an earlier build is removed.
  ///
  /// - Throws: `BazelError` when the directory does not exist or can't be written.
  init(creating path: FilePath) throws {
    self.path = path
    Self.removeStale(in: path.removingLastComponent())
    path.withPlatformString { _ = unlink($0) }
    do {
      descriptor = try FileDescriptor.open(
        path, .readOnly, options: [.create, .exclusiveCreate, .closeOnExec],
        permissions: .ownerReadWrite)
    } catch let error as Errno {
      throw BazelError(cannotWrite: path, error)
    }
  }

  /// Removes what processes left in a directory that ended without doing so themselves.
  static func removeStale(in directory: FilePath) {
    guard let stream = directory.withPlatformString({ opendir($0) }) else { return }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      let kinds = ["build-events-", "build-profile-"]
      guard let kind = kinds.first(where: name.hasPrefix), name.hasSuffix(".json"),
        let process = Int32(name.dropFirst(kind.count).dropLast(5)), kill(process, 0) != 0,
        errno == ESRCH
      else { continue }
      directory.appending(name).withPlatformString { _ = unlink($0) }
    }
  }

  /// The next bytes that have been added, at most 256 KiB; empty when there are none.
  mutating func readMore() -> ArraySlice<UInt8> {
    let count = buffer.withUnsafeMutableBytes { buffer in
      // A regular file that can't be read has no more for us; the build's end settles what is open.
      (try? descriptor.read(fromAbsoluteOffset: offset, into: buffer)) ?? 0
    }
    offset += Int64(count)
    return buffer.prefix(count)
  }

  /// Closes and removes the file.
  func remove() {
    // Nothing was written through this descriptor that closing it could lose.
    try? descriptor.close()
    path.withPlatformString { _ = unlink($0) }
  }
}
