import Batching
package import Graph
import SystemPackage

/// The content of `watchbuild.yaml`.
struct Configuration: Equatable, Sendable {
  /// The settings that options and environment can override.
  var layer = SettingsLayer()
  var images: [ImageEntry] = []
  var rollout = RolloutRule()
  var hooks = Hooks()
}

/// One entry of `images`.
package enum ImageEntry: Equatable, Sendable {
  case target(ConfiguredImage)
  case query(ImageQuery)
}

/// An image named in the configuration.
package struct ConfiguredImage: Equatable, Sendable {
  var name: String
  var label: Label
  var outputGroup: String?
  /// As the runtime is to know it; valid image references. None: the names that its target gives it.
  var references: [String] = []
  /// The choice between a layout and a tar.
  var from = ImageSource.Choice.auto
  /// Bazel options of this image alone, in the order written.
  var options: [String] = []
  /// The label for `--platforms`.
  var platform: String?
  /// The directory of another Bazel workspace, absolute.
  var workspace: FilePath?
  /// Names of the images to be loaded before this one is built.
  var requires: [String] = []
  /// It stands on the command line, and in no file.
  var isNamed = false
  /// The way to restart what runs it.
  var rollout: RolloutTarget?
}

/// Images found by a Bazel query.
package struct ImageQuery: Equatable, Sendable {
  package var expression: String
  var exclude: [LabelPattern] = []

  package func admits(_ label: Label) -> Bool { !exclude.contains { $0.matches(label) } }
}
