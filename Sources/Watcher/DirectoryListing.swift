import CInotifyTools
import Glibc

/// Reads directories, one at a time, without allocating.
///
/// By the system call itself: `opendir` allocates 32 KB for each directory and asks for the status
/// of what is known to be one.
final class DirectoryListing {
  typealias Name = UnsafeBufferPointer<UInt8>

  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32_768, alignment: 8)

  deinit { buffer.deallocate() }

  /// Opens a directory.
  ///
  /// - Parameters:
  ///   - path: With a NUL at its end.
  ///   - parent: A descriptor of the directory that the path is relative to.
  ///   - followsLink: Whether a symbolic link is followed; else it is refused.
  /// - Returns: A descriptor, or -1 and `errno`.
  static func open(
    _ path: UnsafePointer<CChar>, in parent: Int32 = AT_FDCWD, followsLink: Bool = false
  ) -> Int32 {
    openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followsLink ? 0 : O_NOFOLLOW))
  }

  /// Opens a directory, reads it once, and closes it.
  ///
  /// - Returns: As `read(_:_:)`.
  static func read(
    _ path: UnsafePointer<CChar>,
    _ body: (_ directory: Int32, _ name: Name, _ isDirectory: Bool) -> Void
  ) -> Int32 {
    let directory = open(path)
    guard directory >= 0 else { return errno }
    defer { close(directory) }
    return DirectoryListing().read(directory) { body(directory, $0, $1) }
  }

  /// Calls `body` for every entry but `.` and `..`, in the file system's order.
  ///
  /// - Parameters:
  ///   - directory: An open directory that nothing was read from yet.
  ///   - body: Given the name, with a NUL behind it, and whether it is a directory (symbolic links
  ///     are not followed). It must not read another directory with this object.
  /// - Returns: 0, or the error number for which the directory can't be read to its end.
  func read(_ directory: Int32, _ body: (_ name: Name, _ isDirectory: Bool) -> Void) -> Int32 {
    guard let start = buffer.baseAddress else { return ENOMEM }
    while true {
      let count = getdents64(directory, start, buffer.count)
      guard count > 0 else { return count == 0 ? 0 : errno }
      var offset = 0
      while offset < count {
        let entry = start + offset
        offset += Int(entry.load(fromByteOffset: Self.lengthOffset, as: UInt16.self))
        let text = (entry + Self.nameOffset).assumingMemoryBound(to: UInt8.self)
        let name = Name(start: text, count: strlen(entry + Self.nameOffset))
        if name[0] == UInt8(ascii: "."), name.count == 1 || (name.count == 2 && name[1] == name[0])
        {
          continue
        }
        switch Int(entry.load(fromByteOffset: Self.typeOffset, as: UInt8.self)) {
        case Int(DT_DIR): body(name, true)
        case Int(DT_UNKNOWN):
          guard let status = FileStatus(of: name, in: directory) else { continue }
          body(name, status.isDirectory)
        default: body(name, false)
        }
      }
    }
  }

  // The layout of `struct linux_dirent64`: inode, offset, length, type, name.
  // Source: https://man7.org/linux/man-pages/man2/getdents.2.html
  private static let lengthOffset = 16
  private static let typeOffset = 18
  private static let nameOffset = 19
}
