import Bazel
import Synchronization
import SystemPackage

/// The watches of the Bazel servers of a run, one a workspace: the edge around `ServerWatch`. Any task may ask.
final class ServerWatches: Sendable {
  private struct Entry {
    var watch = ServerWatch()
    var server: Int32?
    var outputBase: FilePath?
    /// Where the server's log ended before the cycle's first build that went by the watch.
    var place: ServerLogPlace?
    /// There are watches enough for the server and for everybody else.
    var hasRoom: Bool?
  }

  private let entries = Mutex<[FilePath: Entry]>([:])

  /// What was saved for the last cycle is seen, or its builds were made without the watch.
  func cycleBegins() {
    entries.withLock { entries in
      for workspace in entries.keys { entries[workspace]?.place = nil }
    }
  }

  /// How the next build uses the watch; to be asked just before it.
  func use(in workspace: FilePath) -> ServerWatch.Use {
    guard hasRoom(in: workspace) else { return .none }
    return change(workspace) { entry in
      let use = entry.watch.use(server: Self.mark(entry))
      if use == .relies, entry.place == nil {
        entry.place = entry.outputBase.flatMap(ServerLogPlace.init)
      }
      return use
    }
  }

  /// A build has ended.
  ///
  /// - Parameters:
  ///   - result: `nil` when it was interrupted.
  ///   - executionRoot: Bazel's, which lies in its output base.
  func built(
    in workspace: FilePath, _ use: ServerWatch.Use, _ result: BuildResult?, executionRoot: FilePath?
  ) {
    change(workspace) { entry in
      entry.server = result?.server ?? entry.server
      entry.outputBase =
        executionRoot.map { $0.removingLastComponent().removingLastComponent() }
        ?? entry.outputBase
      entry.watch.ended(use, exit: result?.exitCode, server: Self.mark(entry))
    }
  }

  /// A query, which never has the server watch, has ended; `false`: in another way than by itself.
  func asked(in workspace: FilePath, isWhole: Bool) {
    change(workspace) { entry in
      entry.watch.ended(.none, exit: isWhole ? 0 : nil, server: Self.mark(entry))
    }
  }

  /// The server can't watch.
  func failed(in workspace: FilePath) { change(workspace) { $0.watch.giveUp() } }

  /// Whether the server's watch told it of all changes since the cycle's first build that went by it.
  func haveSeen(_ changes: [FilePath], in workspace: FilePath) -> Bool {
    let place = entries.withLock { $0[workspace]?.place }
    let haveSeen = place?.hasSeen(changes, in: workspace) ?? false
    change(workspace) { if haveSeen { $0.watch.sawAll() } else { $0.watch.missed() } }
    return haveSeen
  }

  /// Counted once.
  private func hasRoom(in workspace: FilePath) -> Bool {
    if let known = entries.withLock({ $0[workspace]?.hasRoom }) { return known }
    let hasRoom = WatchRoom.isEnough(for: workspace)
    change(workspace) { $0.hasRoom = hasRoom }
    return hasRoom
  }

  private static func mark(_ entry: Entry) -> ServerMark? {
    guard let server = entry.server, let outputBase = entry.outputBase else { return nil }
    return ServerMark.look(server, outputBase: outputBase)
  }

  private func change<Result: Sendable>(
    _ workspace: FilePath, _ body: (inout Entry) -> Result
  ) -> Result {
    entries.withLock { body(&$0[workspace, default: Entry()]) }
  }
}
