import Glibc
import SystemPackage

/// Looks a program up as a shell would.
enum Program {
  /// - Returns: Its path; `nil` when no directory of `PATH` has it.
  static func find(
    _ name: String, path: String? = getenv("PATH").map { String(cString: $0) }
  )
    -> FilePath?
  {
    let candidates =
      name.contains("/")
      ? [FilePath(name)]
      : (path ?? "/usr/bin:/bin").split(separator: ":").map { FilePath(String($0)).appending(name) }
    return candidates.first { candidate in
      Disk.type(of: candidate) == .regular
        && candidate.withPlatformString { access($0, X_OK) } == 0
    }
  }

  /// - Throws: `Problem` when there is no such Bazel.
  static func check(_ bazel: String) throws(Problem) {
    guard find(bazel) == nil else { return }
    throw Problem(
      bazel.contains("/") ? "no program at \(bazel)" : "\(bazel): not found in PATH",
      hint: "install Bazel or Bazelisk, or pass its path with --bazel")
  }
}
