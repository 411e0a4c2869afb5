import Settings
import SystemPackage

extension GivenOptions {
  /// - Parameters:
  ///   - common: The options of every command.
  ///   - loop: `nil` for commands that do not build.
  ///   - watching: `nil` for commands that do not watch.
  ///   - bazel: `--bazel` of a command that does not build.
  ///   - load: `--load` of such a command.
  ///   - images: The images that such a command is asked about.
  init(
    common: CommonOptions, loop: LoopOptions? = nil, watching: WatchOptions? = nil,
    bazel: String? = nil, load: [String] = [], images: [String] = []
  ) {
    self.init(
      directory: common.directory.map { FilePath($0) }, file: common.file.map { FilePath($0) },
      bazel: bazel ?? loop?.program.bazel, load: load + (loop?.load ?? []), events: loop?.events,
      layer: (loop?.layer ?? SettingsLayer()).over(watching?.layer ?? SettingsLayer())
        .over(common.layer),
      images: images + (loop?.images ?? []), bazelOptions: loop?.bazelOptions ?? [])
    profile = common.profileName
  }
}
