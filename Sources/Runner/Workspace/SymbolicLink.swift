import Glibc
package import SystemPackage

/// A symbolic link: asked of the disk.
package enum SymbolicLink {
  @Sendable package static func exists(_ path: FilePath) -> Bool { target(of: path) != nil }

  /// Where it leads, as it is written; `nil` when the path is no link.
  static func target(of path: FilePath) -> FilePath? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = path.withPlatformString { readlink($0, start, Int(PATH_MAX)) }
      guard count > 0 else { return nil }
      start[count] = 0
      return FilePath(platformString: start)
    }
  }
}
