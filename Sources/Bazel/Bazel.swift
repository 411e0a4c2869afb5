package import Basics
package import Processes
package import SystemPackage

/// A Bazel workspace and how to call Bazel in it.
///
/// Every command is given the same startup options, so that the server is never restarted, and
/// the environment as the user's terminal has it.
package struct Bazel: Sendable {
  /// Absolute, symbolic links resolved.
  package var workspace: FilePath
  /// A name to be looked up in `PATH`, or a path: Bazel, Bazelisk or a wrapper.
  package var executable: String
  package var startupOptions: [String]
  package var runner: any CommandRunner
  package var clock: any Clock<Duration>
  /// A directory of our own for build-event files. Bazel's server opens these in its own process,
  /// so they must be regular files that nobody else uses.
  package var scratch: PrivateDirectory
  /// Shared by all commands of a run.
  package var unknownOptions: UnknownOptions
  /// Asks the kernel about the workspace's server, or about the process that is known to be it.
  var look: @Sendable (Int32?) -> ServerActivity?
  /// Whose files of options count.
  package var user = UserEnvironment.current

  package init(
    workspace: FilePath, executable: String = "bazel", startupOptions: [String] = [],
    runner: any CommandRunner, clock: any Clock<Duration>, scratch: PrivateDirectory,
    unknownOptions: UnknownOptions = UnknownOptions()
  ) {
    self.workspace = workspace
    self.executable = executable
    self.startupOptions = startupOptions
    self.runner = runner
    self.clock = clock
    self.scratch = scratch
    self.unknownOptions = unknownOptions
    look = { server in (server ?? ServerActivity.server(of: workspace)).flatMap(ServerActivity.read)
    }
  }
}
