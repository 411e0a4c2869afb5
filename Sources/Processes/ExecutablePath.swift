import Glibc
package import SystemPackage

/// Where a program lies.
///
/// Looked up by us because swift-subprocess tries to start it in each directory of `PATH`, which costs
/// a process for each that does not have it. As there, only absolute directories count, so that no
/// program is run because of where somebody stands.
package enum ExecutablePath {
  /// - Parameters:
  ///   - name: Without a slash.
  ///   - path: As `PATH` has it; `nil`: it is not set.
  /// - Returns: `nil` when no directory of `path` has it.
  package static func find(_ name: String, in path: String?) -> FilePath? {
    (path ?? "/usr/bin:/bin").split(separator: ":").lazy
      .filter { $0.hasPrefix("/") }
      .map { FilePath(String($0)).appending(name) }
      .first(where: isProgram)
  }

  package static func isProgram(_ path: FilePath) -> Bool {
    var status = stat()
    return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      && access(path.string, X_OK) == 0
  }
}

extension ExecutablePath {
  /// - Throws: `CommandError.notFound` when no directory of `PATH` has it.
  static func find(_ command: Command) throws(CommandError) -> FilePath {
    let name = command.executable
    if name.contains("/") { return FilePath(name) }
    let path = command.environment["PATH"] ?? getenv("PATH").map { String(cString: $0) }
    guard let found = find(name, in: path) else { throw .notFound(name) }
    return found
  }
}
