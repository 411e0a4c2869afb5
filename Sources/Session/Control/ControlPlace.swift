import Glibc
import Images
package import SystemPackage

/// Where the control socket of a workspace lies: a directory that is ours alone, and a name in it.
package struct ControlPlace: Hashable, Sendable {
  package let directory: FilePath
  package let name: String

  package init(directory: FilePath, name: String) {
    self.directory = directory
    self.name = name
  }

  package var path: FilePath { directory.appending(name) }

  /// The places for a workspace; `dev` takes the first, and clients look in all of them.
  ///
  /// - Parameters:
  ///   - workspace: The workspace's root, symbolic links resolved.
  ///   - state: The workspace's state directory, for when there is no `XDG_RUNTIME_DIR` of ours.
  ///   - environment: The process's variables.
  package static func places(
    for workspace: FilePath, state: FilePath, environment: [String: String]
  ) -> [ControlPlace] {
    let name = "\(Digest(of: Array(workspace.string.utf8)).hexadecimal.prefix(16)).sock"
    let runtime = environment["XDG_RUNTIME_DIR"].map { FilePath($0) }
    return [
      runtime.flatMap { isOurs($0) ? $0.appending("watchbuild") : nil },
      state.appending("control"),
    ].compactMap(\.self).map { ControlPlace(directory: $0, name: name) }
  }

  /// Tells whether a directory is ours, and nobody else's to write to.
  private static func isOurs(_ path: FilePath) -> Bool {
    var status = stat()
    return path.isAbsolute && stat(path.string, &status) == 0
      && status.st_mode & S_IFMT == S_IFDIR && status.st_uid == geteuid()
      && status.st_mode & 0o022 == 0
  }
}
