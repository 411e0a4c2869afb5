extension Event {
  /// A `bazel build` begins.
  package struct BuildStarted: EventFields {
    package static let type = "build"

    /// Labels.
    package var targets: [String]
    /// Names.
    package var images: [String]
    /// What the images of one build have in common: options and platform.
    package var key: String
    /// The argument vector; values that may be secret are left out.
    package var command: [String]

    package init(targets: [String], images: [String], key: String, command: [String]) {
      self.targets = targets
      self.images = images
      self.key = key
      self.command = command
    }

    /// The same fields, kept but once where they equal those of the build before: most builds are repeated.
    func sharing(_ other: BuildStarted) -> BuildStarted {
      BuildStarted(
        targets: targets == other.targets ? other.targets : targets,
        images: images == other.images ? other.images : images,
        key: key == other.key ? other.key : key,
        command: command == other.command ? other.command : command)
    }
  }
}
