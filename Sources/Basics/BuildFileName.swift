import Glibc
package import SystemPackage

/// The names that make a directory a Bazel package.
///
/// The one place that knows them. A directory of that name makes no package, a symbolic link to a
/// file does.
/// Source: https://bazel.build/concepts/build-files
package enum BuildFileName {
  package static let plain = "BUILD"
  package static let long = "BUILD.bazel"

  /// In the order in which Bazel prefers them.
  package static let all = [long, plain]

  private static let bytes = all.map { Array($0.utf8) }

  package static func contains(_ name: some StringProtocol) -> Bool {
    bytes.contains { name.utf8.elementsEqual($0) }
  }

  package static func contains(_ name: some Sequence<UInt8>) -> Bool {
    bytes.contains { name.elementsEqual($0) }
  }

  /// Tells whether a directory is a package: asked of the disk.
  package static func marksPackage(_ directory: FilePath) -> Bool {
    all.contains { isFile(directory.appending($0)) }
  }

  /// Tells whether a regular file lies at the path, symbolic links followed, and can be read: Bazel passes
  /// over what can't.
  package static func isFile(_ path: FilePath) -> Bool {
    path.withPlatformString { path in
      var status = stat()
      return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        && access(path, R_OK) == 0
    }
  }
}
