import Glibc
package import SystemPackage

/// The names in a directory, without `.` and `..`; none where it can't be read.
package enum DirectoryEntries {
  package enum Kind {
    case directory, link, other
  }

  /// Calls with each name, whose text is good only during the call, and its kind.
  package static func forEach(
    in directory: FilePath, _ body: (UnsafePointer<CChar>, Kind) -> Void
  ) {
    guard let stream = directory.withPlatformString({ opendir($0) }) else { return }
    forEach(in: stream, body)
  }

  /// The same of a directory that is open, and stays so.
  static func forEach(
    in directory: FileDescriptor, _ body: (UnsafePointer<CChar>, Kind) -> Void
  ) {
    // Opened anew, because the place that has been read to would be shared.
    let own = openat(directory.rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard own >= 0 else { return }
    guard let stream = fdopendir(own) else {
      close(own)
      return
    }
    forEach(in: stream, body)
  }

  private static func forEach(
    in stream: OpaquePointer, _ body: (UnsafePointer<CChar>, Kind) -> Void
  ) {
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { name in
          guard strcmp(name, ".") != 0, strcmp(name, "..") != 0 else { return }
          body(name, kind(of: entry, named: name, in: stream))
        }
      }
    }
  }

  private static func kind(
    of entry: UnsafeMutablePointer<dirent>, named name: UnsafePointer<CChar>,
    in stream: OpaquePointer
  ) -> Kind {
    switch Int32(entry.pointee.d_type) {
    case Int32(DT_DIR): return .directory
    case Int32(DT_LNK): return .link
    case Int32(DT_UNKNOWN):
      // Some file systems leave it to the reader.
      var status = stat()
      guard fstatat(dirfd(stream), name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return .other }
      if status.st_mode & S_IFMT == S_IFDIR { return .directory }
      return status.st_mode & S_IFMT == S_IFLNK ? .link : .other
    default: return .other
    }
  }
}
