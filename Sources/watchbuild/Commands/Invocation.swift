import Basics
import FoundationEssentials
import Settings
import SystemPackage

/// The call of watchbuild: the directory, and the environment around it.
struct Invocation: Sendable {
  let common: CommonOptions
  let environment: [String: String]
  let currentDirectory: FilePath

  /// - Throws: `Problem` when the working directory is gone.
  init(_ common: CommonOptions) throws(Problem) {
    self.common = common
    environment = ProcessInfo.processInfo.environment
    do {
      currentDirectory = try Disk.currentDirectory
    } catch {
      throw Problem("can't tell the working directory: \(error)", hint: "change to one that exists")
    }
  }

  /// What relative paths on the command line are relative to: `-C`, as with `git`.
  var directory: FilePath {
    common.directory.map { currentDirectory.pushing(FilePath($0)) } ?? currentDirectory
  }

  /// - Parameters:
  ///   - bazel: `--bazel` of a command that does not build.
  ///   - images: The images that such a command is asked about; none: all.
  func settings(
    loop: LoopOptions?, watching: WatchOptions? = nil, bazel: String? = nil, images: [String] = []
  ) throws(Problem) -> Settings {
    try Settings.resolve(
      GivenOptions(
        common: common, loop: loop, watching: watching, bazel: bazel, images: images),
      environment: environment,
      currentDirectory: currentDirectory)
  }
}
