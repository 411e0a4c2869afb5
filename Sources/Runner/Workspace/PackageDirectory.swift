package import SystemPackage
import Watcher

/// Whether a directory is a Bazel package: asked of the disk.
package enum PackageDirectory {
  package static func exists(_ directory: FilePath) -> Bool {
    BuildFileName.marksPackage(directory)
  }
}
