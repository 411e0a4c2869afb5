import Glibc
import SystemPackage

/// Where a source file that is a symbolic link leads.
///
/// Bazel names only the link, but builds anew when what it leads to changes.
enum SourceLink {
  /// - Parameters:
  ///   - path: Relative to the workspace.
  ///   - workspace: Symbolic links resolved.
  /// - Returns: The real path, relative to the workspace where it lies in it; `nil` when the
  ///   file is no link.
  static func target(of path: String, in workspace: FilePath) -> String? {
    let file = workspace.appending(path)
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    guard file.withPlatformString({ realpath($0, &buffer) }) != nil else { return nil }
    var real = FilePath(platformString: buffer)
    guard real != file.lexicallyNormalized() else { return nil }
    return real.removePrefix(workspace) ? real.string : real.string
  }
}
