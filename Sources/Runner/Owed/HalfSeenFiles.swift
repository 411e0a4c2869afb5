package import Basics
package import Batching
import Graph
package import SystemPackage

/// Files that changed while Bazel may have read them, and changed again before it looked at them the next time.
///
/// Bazel takes an input's digest before the action runs that reads it, and records what the action wrote under that
/// digest. A save in between is invisible to it where the old content comes back before the next build: it holds the
/// output for up to date for ever. So what reads such a file has to be made again.
/// Tried with Bazel 4.2.3 and 7.7.1: a save, another while its action runs, an undo.
package struct HalfSeenFiles: Sendable {
  private struct History: Sendable {
    /// Before the command, then after each change; `nil`: not known.
    var contents: [FileContent?]
    /// The last change may have hidden another.
    var isLastRepeated: Bool
    /// The latest cycle in which it changed, or before whose start.
    var cycle: Int
  }

  private var histories: [FilePath: History] = [:]

  package init() {}

  package var isEmpty: Bool { histories.isEmpty }

  /// All that changed while a command ran and has not been built since in peace.
  package var paths: some Collection<FilePath> { histories.keys }

  /// Takes in the looks of a batch.
  ///
  /// - Parameters:
  ///   - batch: With the news alone.
  ///   - cycle: The number of the cycle under way, or of the last.
  ///   - before: The content of a path before the batch.
  package mutating func takeIn(_ batch: Batch, cycle: Int, before: (FilePath) -> FileContent?) {
    var latest: [FilePath: FileContent?] = [:]
    for look in batch.sightings {
      if histories[look.path] != nil {
        add(look, cycle: cycle)
      } else if look.isDuringCommand {
        let known = latest[look.path] ?? before(look.path)
        histories[look.path] = History(contents: [known], isLastRepeated: false, cycle: cycle)
        add(look, cycle: cycle)
      }
      latest[look.path] = .some(look.content)
    }
  }

  private mutating func add(_ look: Sighting, cycle: Int) {
    guard var history = histories[look.path] else { return }
    history.cycle = cycle
    let isSame = look.content != nil && history.contents.last == .some(look.content)
    if !isSame || look.isRepeated {
      history.contents.append(look.content)
      history.isLastRepeated = look.isRepeated
    }
    // A file that is saved a thousand times in a long build: the first contents are as good as all.
    if history.contents.count > 64 { history.contents.removeSubrange(32..<48) }
    histories[look.path] = history
  }

  /// Files whose content may be one that Bazel has recorded another content's output under.
  package var suspects: [FilePath] {
    histories.filter { Self.isSuspect($0.value) }.keys.sorted { $0.string < $1.string }
  }

  private static func isSuspect(_ history: History) -> Bool {
    let changes = history.contents.count - 1
    guard let last = history.contents.last, changes >= 1 else { return false }
    guard let last else { return changes >= 2 }
    let earlier = history.contents.dropLast(history.isLastRepeated ? 1 : 2)
    // What is not known may have been the same, if there was something else in between.
    let hidesAnother = changes >= 2 || history.isLastRepeated
    return earlier.contains { $0 == last || ($0 == nil && hidesAnother) }
  }

  /// A cycle has built all that depends on a file.
  ///
  /// - Parameters:
  ///   - cycle: Its number.
  ///   - isBuilt: Whether all images that a file affects were built.
  package mutating func built(in cycle: Int, _ isBuilt: (FilePath) -> Bool) {
    histories = histories.filter { path, history in history.cycle >= cycle || !isBuilt(path) }
  }
}
