import Basics
import Glibc
import SystemPackage

/// Bazel's output base, found without asking Bazel.
///
/// A build leaves links in the workspace: `bazel-out` leads to `<output base>/execroot/<name>/bazel-out`
/// and `bazel-<directory>` to `<output base>/execroot/<name>`. Without them (`--symlink_prefix=/`, or no
/// build yet) it is what the startup options say, or that directory of the user's which says in
/// `DO_NOT_BUILD_HERE` that it is of this workspace.
/// Source: https://bazel.build/remote/output-directories
enum OutputBase {
  /// - Parameters:
  ///   - told: What Bazel itself has said.
  ///   - options: The startup options among them.
  static func find(
    for workspace: FilePath, told: FilePath? = nil, options: BazelRCFiles? = nil,
    user: UserEnvironment = .current
  ) -> FilePath? {
    if let told, holdsRepositories(told) { return told }
    if let linked = linked(from: workspace) { return linked }
    let options = options ?? BazelRCFiles(workspace: workspace, user: user)
    func path(_ option: String) -> FilePath? {
      options.startupOption(option).map {
        BazelRC.path($0, workspace: workspace, home: user.home)
      }
    }
    if let base = path("output_base") { return holdsRepositories(base) ? base : nil }
    let roots = path("output_user_root").map { [$0] } ?? user.outputRoots
    return roots.lazy.compactMap { own(in: $0, workspace: workspace) }.first
  }

  private static func linked(from workspace: FilePath) -> FilePath? {
    let candidates = [("bazel-out", 3), ("bazel-\(workspace.lastComponent?.string ?? "")", 2)]
    for (name, depth) in candidates {
      guard var path = SymbolicLink.target(of: workspace.appending(name)) else { continue }
      path = workspace.pushing(path).lexicallyNormalized()
      for _ in 0..<depth { path.removeLastComponent() }
      if holdsRepositories(path) { return path }
    }
    return nil
  }

  /// The one of all output bases of a user that is the workspace's.
  private static func own(in root: FilePath, workspace: FilePath) -> FilePath? {
    var found: FilePath?
    DirectoryEntries.forEach(in: root) { name, kind in
      guard found == nil, kind == .directory else { return }
      let base = root.appending(String(cString: name))
      let owner = SmallFile.text(of: base.appending("DO_NOT_BUILD_HERE"), limit: 1 << 13)
      if owner?.split(whereSeparator: \.isNewline).first == workspace.string[...],
        holdsRepositories(base)
      {
        found = base
      }
    }
    return found
  }

  private static func holdsRepositories(_ base: FilePath) -> Bool {
    base.appending("external").withPlatformString { access($0, F_OK) } == 0
  }
}
