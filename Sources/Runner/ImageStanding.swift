package import Graph
package import SystemPackage
import Watcher

/// The standing of an image, as far as a `dev` has written it down.
package enum ImageStanding: Hashable, Sendable {
  case current
  case owed(because: String)
}

extension SavedIndexes {
  /// How the images of a workspace stand by what a `dev` has left, or keeps while it runs, and by the files on disk.
  ///
  /// - Parameters:
  ///   - images: Of this workspace.
  ///   - disk: What is asked of the disk when what changed since is mapped.
  /// - Returns: By the images' names; none of an image of which it can't be told.
  package func standings(
    of workspace: FilePath, images: [ImageTarget], disk: DiskQuestions = .disk
  ) async -> [String: ImageStanding] {
    // Nothing was saved, or nothing of use.
    guard let saved = try? await file(of: workspace).load(workspace, images: images) else {
      return [:]
    }
    return Self.standings(saved, of: images.map(\.name), disk: disk)
  }

  static func standings(
    _ saved: IndexFile.Saved, of images: [String], disk: DiskQuestions
  ) -> [String: ImageStanding] {
    var standings: [String: ImageStanding] = [:]
    for image in saved.owed {
      standings[image] = .owed(because: "it was not up to date when dev ended")
    }
    var isStale = saved.index.isPartial
    for change in saved.changes {
      let effect = saved.index.effect(of: change, asking: disk)
      isStale = isStale || effect.isStale
      let path = saved.index.workspace.relative(change.path)
      for image in effect.images where standings[image] == nil {
        standings[image] = .owed(because: "\(path) has changed")
      }
    }
    // Another graph may owe more.
    guard !isStale else { return standings }
    for image in images where standings[image] == nil { standings[image] = .current }
    return standings
  }
}

extension FilePath {
  fileprivate func relative(_ path: FilePath) -> String {
    var path = path
    return path.removePrefix(self) ? path.string : path.string
  }
}
