import Basics
import Glibc
import Processes
import SystemPackage

/// Finds the programs that have to be there before anything starts.
enum Program {
  /// - Throws: `Problem` when there is no such Bazel.
  static func check(_ bazel: String) throws(Problem) {
    let isPath = bazel.contains("/")
    let isThere =
      isPath
      ? ExecutablePath.isProgram(FilePath(bazel))
      : ExecutablePath.find(bazel, in: getenv("PATH").map { String(cString: $0) }) != nil
    guard !isThere else { return }
    throw Problem(
      isPath ? "no program at \(bazel)" : "\(bazel): not found in PATH",
      hint: "install Bazel or Bazelisk, or pass its path with --bazel")
  }
}
