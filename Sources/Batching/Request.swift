package import SystemPackage

/// Something that somebody asks of the loop.
///
/// It takes its place among the changes: what was saved before it is known when the loop comes to it.
package struct Request: Hashable, Sendable {
  package enum Demand: Hashable, Sendable {
    /// Build these images although nothing changed; all of them when empty.
    case rebuild(Set<String>, cause: Batch.Cause)
    /// Build now what is owed, and these images. With a stage, the answer waits for the images to reach it.
    case trigger(Set<String>, upTo: Stage?)
    /// Tell when the files as they are now have become images.
    case wait(Question)
    /// Start no build until `resume`.
    case pause
    case resume
    /// Tell that everything before this is known to the loop.
    case synchronize
  }

  /// Unique within a run; the answer names it.
  package var id: Int
  package var demand: Demand

  package init(id: Int, demand: Demand) {
    self.id = id
    self.demand = demand
  }

  /// It keeps the loop from building.
  var isPause: Bool { demand == .pause }
}

/// The question of somebody who waits.
package struct Question: Hashable, Sendable {
  package enum Subject: Hashable, Sendable {
    /// Everything on disk.
    case everything
    /// These files and directories, by absolute path.
    case paths([FilePath])
    /// These images, by name, and whatever is owed when there are none.
    case images(Set<String>)
  }

  package var subject: Subject
  /// The paths that are not on disk.
  package var missing: Set<FilePath>
  /// The stage that the images have to reach.
  package var stage: Stage

  package init(_ subject: Subject, missing: Set<FilePath> = [], upTo stage: Stage) {
    self.subject = subject
    self.missing = missing
    self.stage = stage
  }
}

/// A stage of an image on its way from the files to what runs.
package enum Stage: String, Hashable, Sendable, CaseIterable, Comparable {
  /// Bazel has made it.
  case built
  /// Every runtime holds it.
  case loaded
  /// Whatever runs it has been restarted, where something is to be.
  case live

  private var rank: Int {
    switch self {
    case .built: 0
    case .loaded: 1
    case .live: 2
    }
  }

  package static func < (first: Stage, second: Stage) -> Bool { first.rank < second.rank }
}
