/// What is known of a Bazel server's own watch of its workspace, and whether the next build may go by it: pure.
///
/// With `--watchfs` a server remembers what has changed since the last command instead of looking at every file. The
/// first command with the option looks at all of them and begins the watch, a command without it ends it. What is in
/// doubt is looked at: after another hand's command, after a build that did not come to its end, and for all changes
/// but plain saves.
/// Tried with Bazel 4.2.3 and 7.7.1.
package struct ServerWatch: Hashable, Sendable {
  /// What a build does with the watch.
  package enum Use: Hashable, Sendable {
    /// The server looks at every file, and watches nothing afterwards.
    case none
    /// It looks at every file, and watches them from then on.
    case starts
    /// It goes by what it has seen: only good together with evidence.
    case relies
  }

  package static let option = "--watchfs"

  /// So often in a row a server may miss a save.
  private static let mostMisses = 3

  /// What our last command left.
  private struct Left: Hashable {
    var isOn: Bool
    /// The server as it was then.
    var mark: ServerMark
  }

  /// `nil`: not known.
  private var last: Left?
  private var misses = 0
  /// It is of no use for the rest of the run.
  package private(set) var isGivenUp = false

  package init() {}

  /// How the next build uses the watch; to be asked just before it.
  ///
  /// - Parameter now: The server as it stands.
  package func use(server now: ServerMark?) -> Use {
    guard !isGivenUp, let last, last.mark == now else { return .none }
    return last.isOn ? .relies : .starts
  }

  /// A command of ours has ended.
  ///
  /// - Parameters:
  ///   - use: What it did with the watch.
  ///   - exit: Bazel's exit code; `nil`: it was interrupted.
  ///   - now: The server as it stands; `nil`: not known.
  package mutating func ended(_ use: Use, exit: Int32?, server now: ServerMark?) {
    if exit == 2, use != .none { isGivenUp = true }
    // Another one may not have come to look at all.
    let isWhole = [0, 1, 3].contains(exit)
    last = isWhole ? now.map { Left(isOn: use != .none, mark: $0) } : nil
  }

  /// The server has told of all that was saved.
  package mutating func sawAll() { misses = 0 }

  /// It has not told of something that was saved.
  package mutating func missed() {
    misses += 1
    last = nil
    if misses >= Self.mostMisses { giveUp() }
  }

  /// It can't watch the workspace.
  package mutating func giveUp() {
    last = nil
    isGivenUp = true
  }
}
