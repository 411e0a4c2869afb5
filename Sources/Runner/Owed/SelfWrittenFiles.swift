package import Batching
import Graph
package import SystemPackage
import Watcher

/// Files that changed in one cycle after the other while Bazel ran: the build writes them itself.
///
/// Each such change is owed a build like any other, which then makes the next. After a few nobody builds for them
/// alone, until they change while no command of ours runs.
package struct SelfWrittenFiles: Sendable {
  /// In so many cycles in a row a file may change, and still start the next.
  private static let patience = 3
  /// In so many a change may interrupt the build.
  private static let patienceOfInterruptions = 1

  /// By path, in how many cycles in a row it changed.
  private var streaks: [FilePath: Int] = [:]
  private var told: Set<FilePath> = []

  package init() {}

  package var isEmpty: Bool { streaks.isEmpty }

  /// Takes in what starts a cycle.
  ///
  /// - Parameter batch: With the news alone.
  package mutating func takeIn(_ batch: Batch) {
    // A retry tells nothing of files.
    guard !batch.changes.isEmpty else { return }
    let looks = Dictionary(grouping: batch.sightings, by: \.path)
    streaks = looks.compactMapValues { looks in
      looks.last?.isDuringCommand == true
        ? (looks.first.flatMap { streaks[$0.path] } ?? 0) + 1 : nil
    }
    told.formIntersection(streaks.keys)
  }

  /// Tells whether a batch holds nothing but changes that are not worth a build of their own.
  package func holds(_ batch: Batch) -> Bool {
    batch.cause == .change && !batch.affectsEverything && batch.requested.isEmpty
      && !batch.changes.isEmpty
      && batch.changes.allSatisfy { (streaks[$0.path] ?? 0) > Self.patience }
  }

  /// Tells whether a change of a path is a reason to interrupt the build under way.
  package func interrupts(_ path: FilePath) -> Bool {
    (streaks[path] ?? 0) <= Self.patienceOfInterruptions
  }

  /// The files of a batch that the user has not been told of.
  package mutating func untold(_ batch: Batch) -> [FilePath] {
    batch.changes.map(\.path).filter { told.insert($0).inserted }
  }
}
