import Basics
import Batching
import Events
import Graph
import SystemPackage
import Watcher

extension Event.BatchClosed {
  /// The batch as the event shows it: paths relative to the workspace, at most 100.
  init(_ batch: Batch, images: [String], setup: BuildSetup) {
    self.init(
      cause: batch.cause.rawValue, changes: Self.changes(of: batch, setup),
      changeCount: batch.changes.count, images: images, windowMs: batch.window.milliseconds)
  }

  fileprivate static func changes(of batch: Batch, _ setup: BuildSetup) -> [Change] {
    batch.changes.prefix(100).map {
      Change(path: setup.shown($0.path), kind: $0.kind.rawValue)
    }
  }
}

extension Event.Unaffected {
  init(_ batch: Batch, _ setup: BuildSetup) {
    self.init(
      changes: Event.BatchClosed.changes(of: batch, setup), changeCount: batch.changes.count)
  }
}

extension Event.Kind {
  /// The build writes these files itself.
  static func selfWritten(_ files: [FilePath], _ setup: BuildSetup) -> Self {
    let names = files.prefix(5).map(setup.shown).joined(separator: ", ")
    let rest = files.count > 5 ? " and \(files.count - 5) more" : ""
    return .degraded(
      reason:
        "\(names)\(rest) changed in each of the last builds: the build writes into its own sources; "
        + "nothing is built for that alone until a minute has passed or something else changes "
        + "(let the action write to its outputs, or list the file under watch.ignore)")
  }
}

extension BuildSetup {
  /// A path as people see it: relative to its workspace, where it lies in one.
  fileprivate func shown(_ path: FilePath) -> String {
    var path = path
    // One within another comes after it.
    let workspaces = Set(images.map(\.key.workspace)).sorted { $0.string < $1.string }
    for workspace in workspaces where path.removePrefix(workspace) { break }
    return path.string
  }
}
