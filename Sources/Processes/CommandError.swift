package import SystemPackage

/// Why a program could not be started.
package enum CommandError: Error, Hashable, Sendable, CustomStringConvertible {
  /// No such program: the name is in no directory of `PATH`, or the path does not exist.
  case notFound(String)
  /// The directory that it was to run in is gone or may not be entered.
  case noDirectory(FilePath, program: String)
  case cannotStart(String, reason: String)

  package var description: String {
    switch self {
    case .notFound(let name) where name.contains("/"):
      "\(name): no such program; check the path"
    case .notFound(let name):
      "\(name): not found in PATH; install it or give its path"
    case .noDirectory(let directory, let program):
      "\(program): can't run in \(directory); check that the directory exists and may be entered"
    case .cannotStart(let name, let reason):
      "\(name): can't be started: \(reason)"
    }
  }
}
