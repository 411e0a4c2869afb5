package import SystemPackage

/// Whether a directory is a Bazel package: asked of the disk.
package enum PackageDirectory {
  package static func exists(_ directory: FilePath) -> Bool {
    ["BUILD.bazel", "BUILD"].contains { name in
      // A file that can't be opened is no BUILD file for Bazel either.
      (try? FileDescriptor.open(directory.appending(name), .readOnly))
        .map { file in
          try? file.close()
          return true
        } ?? false
    }
  }
}
