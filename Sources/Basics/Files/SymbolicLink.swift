import Glibc
package import SystemPackage

/// A symbolic link: asked of the disk.
package enum SymbolicLink {
  @Sendable package static func exists(_ path: FilePath) -> Bool { target(of: path) != nil }

  /// Where changes of a file are told: where it lies, its directory's links resolved, and where it
  /// leads if it is a link.
  ///
  /// - Parameter file: Absolute; it need not be there.
  package static func places(of file: FilePath) -> Set<FilePath> {
    guard let name = file.lastComponent else { return [file] }
    let directory = file.removingLastComponent()
    return Set([(real(directory) ?? directory).appending(name), real(file)].compactMap(\.self))
  }

  /// All links resolved; `nil` where nothing is.
  package static func real(_ path: FilePath) -> FilePath? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
      guard let start = buffer.baseAddress,
        path.withPlatformString({ realpath($0, start) }) != nil
      else { return nil }
      return FilePath(platformString: start)
    }
  }

  /// Where it leads, as it is written; `nil` when the path is no link.
  package static func target(of path: FilePath) -> FilePath? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = path.withPlatformString { readlink($0, start, Int(PATH_MAX)) }
      guard count > 0 else { return nil }
      start[count] = 0
      return FilePath(platformString: start)
    }
  }
}
