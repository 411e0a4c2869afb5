import Settings
import SystemPackage

extension GivenOptions {
  /// - Parameters:
  ///   - common: The options of every command.
  ///   - loop: `nil` for commands that do not build.
  ///   - watching: `nil` for commands that do not watch.
  init(common: CommonOptions, loop: LoopOptions? = nil, watching: WatchOptions? = nil) {
    self.init(
      directory: common.directory.map { FilePath($0) }, file: common.file.map { FilePath($0) },
      bazel: loop?.bazel, load: loop?.load ?? [],
      layer: (loop?.layer ?? SettingsLayer()).over(watching?.layer ?? SettingsLayer())
        .over(common.layer),
      images: loop?.images ?? [], bazelOptions: loop?.bazelOptions ?? [])
  }
}
