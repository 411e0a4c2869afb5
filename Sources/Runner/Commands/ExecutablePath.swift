import Glibc
import SystemPackage

/// Where a program lies.
///
/// Looked up by us because swift-subprocess tries to start it in each directory of `PATH`, which costs
/// a process for each that does not have it.
enum ExecutablePath {
  /// - Throws: `CommandError.notFound` when no directory of `PATH` has it.
  static func find(_ command: Command) throws(CommandError) -> FilePath {
    let name = command.executable
    if name.contains("/") { return FilePath(name) }
    let path = command.environment["PATH"] ?? getenv("PATH").map { String(cString: $0) }
    // What execvp(3) takes where nothing is set.
    for directory in (path ?? "/bin:/usr/bin").split(
      separator: ":", omittingEmptySubsequences: false)
    {
      // An empty one is where the program is to run.
      let base = directory.isEmpty ? command.directory ?? "." : FilePath(String(directory))
      let candidate = base.appending(name)
      if isProgram(candidate) { return candidate }
    }
    throw .notFound(name)
  }

  private static func isProgram(_ path: FilePath) -> Bool {
    var status = stat()
    return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      && access(path.string, X_OK) == 0
  }
}
