/// A program of the user's that runs at a stage of a cycle.
package struct Hook: Hashable, Sendable {
  package enum Stage: String, Hashable, Sendable, CaseIterable {
    /// Before Bazel is asked to build. Where it fails, the images that it is for are not built.
    case beforeBuild
    /// When the cycle's images are loaded and rolled out.
    case afterLoad
    /// When the cycle has failed.
    case onFailure
  }

  /// `{images}` and `{summary}` in it are replaced.
  package var arguments: [String]
  /// Names of the images that it is for; none: all.
  package var images: Set<String>
  package var timeout: Duration

  package init(
    _ arguments: [String], images: Set<String> = [], timeout: Duration = .seconds(60)
  ) {
    self.arguments = arguments
    self.images = images
    self.timeout = timeout
  }

  /// Those of the images that it is for.
  package func concerned(_ names: Set<String>) -> Set<String> {
    images.isEmpty ? names : names.intersection(images)
  }
}

/// The hooks of a run.
package struct Hooks: Hashable, Sendable {
  package var byStage: [Hook.Stage: [Hook]]

  package init(_ byStage: [Hook.Stage: [Hook]] = [:]) { self.byStage = byStage }

  package subscript(stage: Hook.Stage) -> [Hook] { byStage[stage] ?? [] }
}
