import Batching
package import SystemPackage
import Watcher

/// Things to read again before a batch can be built: the configuration, or which images there are.
package struct Reading: OptionSet, Hashable, Sendable {
  package let rawValue: Int
  package init(rawValue: Int) { self.rawValue = rawValue }

  /// `watchbuild.yaml`.
  package static let configuration = Reading(rawValue: 1)
  /// The query that finds image targets.
  package static let images = Reading(rawValue: 2)
  /// `.bazelignore` of a workspace.
  package static let ignored = Reading(rawValue: 4)
}

/// Decides which files say what there is to build.
package struct Definitions: Sendable {
  /// Tells what a change of an absolute path asks to be read again.
  package var reading: @Sendable (FilePath) -> Reading

  package init(reading: @escaping @Sendable (FilePath) -> Reading = { _ in [] }) {
    self.reading = reading
  }

  func reading(after batch: Batch) -> Reading {
    batch.changes.reduce(into: []) { $0.formUnion(reading($1.path)) }
  }
}

/// The result of reading them.
package enum ReadingOutcome: Sendable {
  /// `nil`: nothing is other than before, or what is new is no good.
  case read(BuildSetup?)
  /// Bazel could not tell which images there are: asked again with the next batch.
  /// - `isTransient`: Bazel, or what it stands on, failed, so that it is asked again without any change, too.
  case failed(isTransient: Bool)
}
