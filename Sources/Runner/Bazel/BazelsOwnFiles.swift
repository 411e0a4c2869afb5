import Batching
import Synchronization
import SystemPackage

/// The files in workspaces that Bazel itself writes, looked at when a cycle begins and after each of its builds.
///
/// Whether Bazel wrote one or somebody else did while Bazel ran can't be told. So what a build left is taken for
/// read only when a build left what it had found.
final class BazelsOwnFiles: Sendable {
  /// So often in a row a build may be repeated, because it left another file than it found.
  static let patience = 2

  private let contents: Mutex<[FilePath: [FileContent?]]>
  private let look: @Sendable (FilePath) -> FileContent?

  /// - Parameters:
  ///   - workspaces: Absolute, symbolic links resolved.
  ///   - look: Reads a file's content.
  init(
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
  func haveChanged(in workspace: FilePath) -> Bool {
    let now = Self.contents(in: workspace, look)
    return contents.withLock { contents in
      defer { contents[workspace] = now }
      return contents[workspace] != now
    }
  }

  private static func contents(
    in workspace: FilePath, _ look: (FilePath) -> FileContent?
  ) -> [FileContent?] {
    KnownContents.namesOfBazelsOwn.map { look(workspace.appending($0)) }
  }
}
