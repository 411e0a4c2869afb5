import SystemPackage

/// Turns the paths that programs run by Bazel print into paths that an editor can open.
struct WorkspacePaths {
  private let prefix: String

  init(workspace: FilePath) { prefix = workspace.string + "/" }

  /// The path relative to the workspace, where it lies in it; else as it was.
  ///
  /// Sandboxes and the execution root mirror the workspace, and what lies in a `bin` or `genfiles`
  /// tree most often is a copy of a source of that name: their prefixes are stripped.
  func relative(_ path: String) -> String {
    var path = path[...]
    while path.hasPrefix("./") { path = path.dropFirst(2) }
    if path.hasPrefix("file://") { path = path.dropFirst(7) }
    if path.hasPrefix("/proc/self/cwd/") { path = path.dropFirst(15) }
    if path.hasPrefix(prefix) {
      path = path.dropFirst(prefix.count)
    } else if let root = path.firstRange(of: "/execroot/"),
      let slash = path[root.upperBound...].firstIndex(of: "/")
    {
      path = path[slash...].dropFirst()
    }
    let parts = path.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    if parts.count == 4, parts[0] == "bazel-out", ["bin", "genfiles"].contains(parts[2]) {
      path = parts[3]
    }
    return String(path)
  }
}
