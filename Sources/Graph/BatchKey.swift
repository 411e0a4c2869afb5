package import SystemPackage

/// The properties that images must share to be built by one `bazel build`: workspace, sorted options,
/// platform.
///
/// Keys compare their options sorted, so that `[a, b]` and `[b, a]` are one key; a build is given
/// them as they were written, since `-c opt` is two words in an order.
package struct BatchKey: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The workspace's root: absolute, symbolic links resolved.
  package let workspace: FilePath
  /// As they were written.
  package let options: [String]
  /// The label given to `--platforms`.
  package let platform: String?

  private let sortedOptions: [String]

  package init(workspace: FilePath, options: [String] = [], platform: String? = nil) {
    self.workspace = workspace
    self.options = options
    self.platform = platform
    sortedOptions = options.sorted()
  }

  /// The options as `bazel build` takes them.
  package var buildOptions: [String] {
    options + (platform.map { ["--platforms=\($0)"] } ?? [])
  }

  package var description: String { words.joined(separator: " ") }

  /// The workspace and each option.
  package var words: [String] {
    [workspace.string] + sortedOptions + (platform.map { ["--platforms=\($0)"] } ?? [])
  }

  package static func == (left: BatchKey, right: BatchKey) -> Bool {
    left.workspace == right.workspace && left.platform == right.platform
      && left.sortedOptions == right.sortedOptions
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(workspace)
    hasher.combine(platform)
    hasher.combine(sortedOptions)
  }

  package static func < (left: BatchKey, right: BatchKey) -> Bool {
    left.description < right.description
  }
}
