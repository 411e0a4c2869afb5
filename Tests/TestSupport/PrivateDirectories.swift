package import Basics
package import Bazel
package import Events
package import FoundationEssentials
package import Graph
package import Processes
package import Runner
package import Runtimes
package import SystemPackage

// Tests name a directory of their own by its path.

extension PrivateDirectory {
  /// What is above it is not looked at.
  package init(_ path: FilePath) {
    self.init(below: path.removingLastComponent(), path.lastComponent?.string ?? ".")
  }
}

extension Bazel {
  package init(
    workspace: FilePath, executable: String = "bazel", startupOptions: [String] = [],
    runner: any CommandRunner, clock: any Clock<Duration>, scratch: FilePath,
    unknownOptions: UnknownOptions = UnknownOptions()
  ) {
    self.init(
      workspace: workspace, executable: executable, startupOptions: startupOptions, runner: runner,
      clock: clock, scratch: PrivateDirectory(scratch), unknownOptions: unknownOptions)
  }
}

extension Ledger {
  package init(in directory: FilePath, now: @escaping @Sendable () -> Date) {
    self.init(in: PrivateDirectory(directory), now: now)
  }
}

extension IndexFile {
  package init(_ path: FilePath) {
    self.init(
      path.lastComponent?.string ?? ".", in: PrivateDirectory(path.removingLastComponent()))
  }
}

extension SavedIndexes {
  package init(in directory: FilePath, log: EventHub) {
    self.init(in: PrivateDirectory(directory), log: log)
  }
}

extension ProfileStore {
  package convenience init(in directory: FilePath) { self.init(in: PrivateDirectory(directory)) }

  package static func latest(in directory: FilePath) throws -> Run? {
    try latest(in: PrivateDirectory(directory))
  }
}
