import Glibc
import SystemPackage

/// Bazel's output base, found without asking Bazel.
///
/// A build leaves links in the workspace: `bazel-out` leads to `<output base>/execroot/<name>/bazel-out`
/// and `bazel-<directory>` to `<output base>/execroot/<name>`. With `--symlink_prefix` or before the
/// first build there are none.
/// Source: https://bazel.build/remote/output-directories
enum OutputBase {
  static func find(for workspace: FilePath) -> FilePath? {
    let candidates = [("bazel-out", 3), ("bazel-\(workspace.lastComponent?.string ?? "")", 2)]
    for (name, depth) in candidates {
      guard var path = SymbolicLink.target(of: workspace.appending(name)) else { continue }
      path = workspace.pushing(path).lexicallyNormalized()
      for _ in 0..<depth { path.removeLastComponent() }
      let isThere = path.appending("external").withPlatformString { access($0, F_OK) } == 0
      if isThere { return path }
    }
    return nil
  }
}
