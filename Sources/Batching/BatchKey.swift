package import SystemPackage

/// What images must have in common to be built by one `bazel build`.
///
/// Options are sorted, so that `[a, b]` and `[b, a]` are one key.
package struct BatchKey: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The workspace's root: absolute, symbolic links resolved.
  package let workspace: FilePath
  /// Sorted.
  package let options: [String]
  /// The label given to `--platforms`.
  package let platform: String?

  package init(workspace: FilePath, options: [String] = [], platform: String? = nil) {
    self.workspace = workspace
    self.options = options.sorted()
    self.platform = platform
  }

  /// The options as `bazel build` takes them.
  package var buildOptions: [String] {
    options + (platform.map { ["--platforms=\($0)"] } ?? [])
  }

  package var description: String {
    ([workspace.string] + buildOptions).joined(separator: " ")
  }

  package static func < (left: BatchKey, right: BatchKey) -> Bool {
    left.description < right.description
  }
}
