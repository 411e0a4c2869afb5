package import Basics
import Synchronization
package import SystemPackage

/// The files in workspaces that Bazel itself writes, looked at when a cycle begins and after each of its builds.
///
/// Whether Bazel wrote one or somebody else did while Bazel ran can't be told. So what a build left is taken for
/// read only when a build left what it had found.
package final class BazelsOwnFiles: Sendable {
  /// So often in a row a build may be repeated, because it left another file than it found.
  package static let patience = 2

  private let contents: Mutex<[FilePath: [FileContent?]]>
  private let look: @Sendable (FilePath) -> FileContent?

  /// - Parameters:
  ///   - workspaces: Those that are watched: elsewhere nobody waits for what comes while Bazel runs. Absolute,
  ///     symbolic links resolved.
  ///   - look: Reads a file's content.
  package init(
    of workspaces: Set<FilePath>,
    look: @escaping @Sendable (FilePath) -> FileContent? = FileContent.look
  ) {
    self.look = look
    contents = Mutex(
      Dictionary(uniqueKeysWithValues: workspaces.map { ($0, Self.contents(in: $0, look)) }))
  }

  /// Looks again.
  ///
  /// - Returns: Whether a build of the workspace may have read other content than is there now.
  package func haveChanged(in workspace: FilePath) -> Bool {
    let now = Self.contents(in: workspace, look)
    return contents.withLock { contents in
      guard let before = contents.updateValue(now, forKey: workspace) else { return false }
      // One that was not there is Bazel's alone: it writes its own over any other.
      return zip(before, now).contains { $0 != .absent && $0 != $1 }
    }
  }

  private static func contents(
    in workspace: FilePath, _ look: (FilePath) -> FileContent?
  ) -> [FileContent?] {
    BazelsOwnNames.all.map { look(workspace.appending($0)) }
  }
}
