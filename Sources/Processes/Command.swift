package import SystemPackage

/// A program to run: an argument list, never a shell string.
package struct Command: Hashable, Sendable {
  /// A name to be looked up in `PATH`, or a path.
  package var executable: String
  package var arguments: [String]
  /// Where it runs; `nil`: our own working directory.
  package var directory: FilePath?
  /// Added to our own environment, which the program otherwise gets as it is.
  package var environment: [String: String]

  package init(
    _ executable: String,
    _ arguments: [String] = [],
    in directory: FilePath? = nil,
    environment: [String: String] = [:]
  ) {
    self.executable = executable
    self.arguments = arguments
    self.directory = directory
    self.environment = environment
  }

  /// The whole argument vector, as the `build` event shows it.
  package var argv: [String] { [executable] + arguments }
}

/// Bytes that a running program wrote.
package enum CommandOutput: Hashable, Sendable {
  case standardOutput([UInt8])
  case standardError([UInt8])
}

/// The end of a program.
package enum CommandExit: Hashable, Sendable {
  case exited(Int32)
  case signalled(Int32)
}
