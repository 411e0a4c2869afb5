import Glibc

/// Reads directories without allocating for each entry.
enum DirectoryListing {
  /// Calls `body` for every entry but `.` and `..`, in the file system's order.
  ///
  /// - Parameters:
  ///   - path: With a NUL at its end; a symbolic link is refused.
  ///   - opened: Given the descriptor before the first entry.
  ///   - body: Given a descriptor of the directory, the name with a NUL behind it, and whether it
  ///     is a directory (symbolic links are not followed).
  /// - Returns: 0, or the error number for which the directory can't be read to its end.
  static func read(
    _ path: UnsafePointer<CChar>, opened: (_ directory: Int32) -> Void = { _ in },
    _ body: (_ directory: Int32, _ name: UnsafeBufferPointer<UInt8>, _ isDirectory: Bool) -> Void
  ) -> Int32 {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return errno }
    guard let directory = fdopendir(descriptor) else {
      let error = errno
      close(descriptor)
      return error
    }
    defer { closedir(directory) }
    opened(descriptor)
    while true {
      errno = 0
      guard let entry = readdir(directory) else { return errno }
      let start = UnsafeRawPointer(entry) + nameOffset
      let text = start.assumingMemoryBound(to: CChar.self)
      let name = UnsafeBufferPointer(
        start: start.assumingMemoryBound(to: UInt8.self), count: strlen(text))
      if name[0] == UInt8(ascii: "."), name.count == 1 || (name.count == 2 && name[1] == name[0]) {
        continue
      }
      switch Int32(entry.pointee.d_type) {
      case Int32(DT_DIR): body(descriptor, name, true)
      case Int32(DT_UNKNOWN):
        guard let status = FileStatus(of: text, in: descriptor) else { continue }
        body(descriptor, name, status.isDirectory)
      default: body(descriptor, name, false)
      }
    }
  }

  private static let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19
}
