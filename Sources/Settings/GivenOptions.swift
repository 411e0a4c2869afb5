import Basics
package import SystemPackage

/// The options of a command line, whoever has parsed it.
package struct GivenOptions: Sendable {
  /// `-C`, relative to the working directory.
  var directory: FilePath?
  /// `--file`, relative to `directory`.
  var file: FilePath?
  /// `--profile-name`.
  package var profile: String?
  /// No configuration file is read, also where there is one.
  package var ignoresFile = false
  /// A name or a path, as `--bazel` has it.
  var bazel: String?
  /// The targets that `--load` names.
  var load: [String] = []
  /// A file or a descriptor, as `--events` has it.
  var events: String?
  /// The settings of the other options.
  var layer = SettingsLayer()
  /// Names, labels and patterns of images; empty: all.
  var images: [String] = []
  /// The words behind `--`.
  var bazelOptions: [String] = []

  package init(
    directory: FilePath? = nil, file: FilePath? = nil, bazel: String? = nil, load: [String] = [],
    events: String? = nil, layer: SettingsLayer = SettingsLayer(), images: [String] = [],
    bazelOptions: [String] = []
  ) {
    self.directory = directory
    self.file = file
    self.bazel = bazel
    self.load = load
    self.events = events
    self.layer = layer
    self.images = images
    self.bazelOptions = bazelOptions
  }

  /// All settings that the options give; relative paths are relative to `directory`.
  func layer(relativeTo directory: FilePath) throws(Problem) -> SettingsLayer {
    var layer = layer
    if let bazel {
      layer.bazelCommand = try Self.value(bazel, of: "--bazel", \.bazelCommand, directory)
    }
    if let events { layer.events = try Self.value(events, of: "--events", \.events, directory) }
    guard !load.isEmpty else { return layer }
    do {
      layer.loadTargets = try LoadTargetText.parse(list: load, relativeTo: directory)
    } catch {
      throw Problem("--load: \(error)")
    }
    return layer
  }

  private static func value<Value>(
    _ text: String, of option: String, _ path: KeyPath<SettingKeys, SettingKey<Value>>,
    _ directory: FilePath
  ) throws(Problem) -> Value {
    do {
      return try SettingKeys()[keyPath: path].parse(text, relativeTo: directory)
    } catch {
      throw Problem("\(option): \(error)")
    }
  }
}
