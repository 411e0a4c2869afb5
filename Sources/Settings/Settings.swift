package import Basics
package import Batching
package import Graph
package import SystemPackage

/// Everything that a command needs to know, from options, environment, file and defaults.
///
/// Every property of `SettingKeys` is a property of it.
@dynamicMemberLookup
package struct Settings: Equatable, Sendable {
  /// The workspace's root: absolute, symbolic links resolved.
  package var workspace: FilePath
  /// The file that was read.
  package var configurationFile: ConfigurationFile?
  /// The profile that was merged over the rest of it.
  var profile: String?
  /// What each of `SettingKeys` is in the end.
  var values = SettingKeys.defaults
  /// What holds for every rollout.
  package var rollout = RolloutRule()
  package var hooks = Hooks()
  /// All configured images, selected or not.
  package var entries: [ImageEntry] = []
  /// What was asked for on the command line, of these or beside these.
  package var selection = ImageSelection()
  /// Where index, lock and images of this workspace are kept. Not made yet.
  package var stateDirectory: PrivateDirectory
  /// Whether output is coloured, all things considered.
  package var usesColor = false

  package subscript<Value>(dynamicMember path: KeyPath<SettingKeys, SettingKey<Value>>) -> Value {
    get {
      let key = SettingKeys()[keyPath: path]
      return values[key] ?? key.initial
    }
    set { values[SettingKeys()[keyPath: path]] = newValue }
  }
}

extension Settings {
  /// Reads the configuration and merges all sources: option, environment, file, default.
  ///
  /// - Parameters:
  ///   - options: What the command line says.
  ///   - environment: The process's variables.
  ///   - currentDirectory: Absolute; what `-C` is relative to.
  ///   - isTerminal: Whether standard error is a terminal.
  /// - Returns: The merged settings; nothing has been made or written.
  /// - Throws: The first mistake in any source, with status 2.
  package static func resolve(
    _ options: GivenOptions, environment: [String: String], currentDirectory: FilePath,
    isTerminal: Bool = Terminal.isTerminal(2)
  ) throws(Problem) -> Settings {
    let variables = EnvironmentSettings(environment: environment, directory: currentDirectory)
    let directory = directory(options, variables)
    let workspace = try Workspace.root(above: directory)
    let file =
      options.ignoresFile
      ? nil
      : try ConfigurationFile.find(
        given: options.file ?? variables.path("WATCHBUILD_FILE"),
        workspace: workspace, directory: directory)
    let profile = options.profile ?? variables.text(of: "WATCHBUILD_PROFILE_NAME")
    if let profile, file == nil, !options.ignoresFile {
      throw Problem(
        "there is no profile '\(profile)', since \(workspace) has no \(ConfigurationFile.name)",
        hint: "write one, or leave out --profile-name")
    }
    let configuration = try file?.read(profile: profile) ?? Configuration()

    let layer = try options.layer(relativeTo: directory).over(variables.layer())
      .over(configuration.layer)
    var settings = Settings(
      workspace: workspace,
      stateDirectory: try StateDirectory.path(
        for: workspace, environment: environment))
    settings.configurationFile = file
    settings.profile = profile
    try settings.apply(layer)
    settings.applyOutput(layer, environment: environment, isTerminal: isTerminal)
    settings.bazelOptions += options.bazelOptions
    settings.rollout = configuration.rollout
    settings.hooks = configuration.hooks
    settings.entries = try configuration.images.map { entry throws(Problem) in
      try resolved(entry)
    }
    settings.selection = try ImageSelection(
      of: settings.entries, requested: options.images,
      package: Self.package(of: directory, in: workspace))
    return settings
  }

  /// The workspace alone, which can be known even where the configuration is broken.
  package static func workspace(
    _ options: GivenOptions, environment: [String: String], currentDirectory: FilePath
  ) throws(Problem) -> FilePath {
    let variables = EnvironmentSettings(environment: environment, directory: currentDirectory)
    return try Workspace.root(above: directory(options, variables))
  }

  /// What `-C` or its variable names, else the working directory.
  static func directory(
    _ options: GivenOptions, _ variables: EnvironmentSettings
  ) -> FilePath {
    options.directory.map { variables.directory.pushing($0) }
      ?? variables.path("WATCHBUILD_DIRECTORY") ?? variables.directory
  }

  /// Takes over what the sources say, and checks what one setting means for another.
  mutating func apply(_ layer: SettingsLayer) throws(Problem) {
    values = layer.values.over(SettingKeys.defaults)
    guard let given = layer.maxDelay else {
      self.maxDelay = max(self.maxDelay, self.debounce)
      return
    }
    guard given >= self.debounce else {
      throw Problem(
        "the maximum delay of \(DurationText.text(given)) is shorter than the debounce of "
          + DurationText.text(self.debounce), hint: "raise --max-delay or lower --debounce")
    }
  }

  /// How to show things, given whether standard error, where progress goes, is a terminal.
  mutating func applyOutput(
    _ layer: SettingsLayer, environment: [String: String], isTerminal: Bool
  ) {
    self.output = layer.output ?? (isTerminal ? .tty : .plain)
    // Source: https://no-color.org; an explicit choice goes before it.
    let isUnwanted =
      environment["NO_COLOR"].map { !$0.isEmpty } ?? false || environment["TERM"] == "dumb"
    usesColor =
      switch self.color {
      case .always: true
      case .never: false
      case .auto: self.output == .tty && isTerminal && !isUnwanted
      }
  }

  /// The keys of the configuration file whose change counts only when watchbuild is started again.
  package func keysAwaitingRestart(since old: Settings) -> [String] {
    SettingKeys.all.compactMap { setting in
      guard let place = setting.place, !setting.isAppliedAtOnce,
        !setting.isEqual(values, old.values)
      else { return nil }
      return "\(place.section).\(place.key)"
    }
  }

  /// The entry with its other workspace, if it has one, looked up.
  private static func resolved(_ entry: ImageEntry) throws(Problem) -> ImageEntry {
    guard case .target(var image) = entry, let other = image.workspace else { return entry }
    // What can't be resolved has no marker either, and is refused for that.
    let path = (try? Disk.realPath(other)) ?? other
    guard Workspace.isRoot(path) else {
      throw Problem(
        "image '\(image.name)': its workspace \(other) has no MODULE.bazel or WORKSPACE",
        hint: "'workspace' is relative to the configuration file")
    }
    image.workspace = path
    return .target(image)
  }

  /// The package that relative labels on the command line belong to.
  private static func package(of directory: FilePath, in workspace: FilePath) -> String {
    // The directory was resolved before, to find the workspace.
    var path = (try? Disk.realPath(directory)) ?? directory
    return path.removePrefix(workspace) ? path.string : ""
  }
}
