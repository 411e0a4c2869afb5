/// The command that holds Bazel's lock, as people read it.
enum LockText {
  private static let limit = 100

  /// - Parameter command: The whole command line.
  /// - Returns: Whose it is, where it is one of watchbuild's; else its beginning.
  static func text(_ command: String) -> String {
    let words = command.split(separator: " ")
    let isOurs = words.contains {
      $0.hasPrefix("--build_event_json_file=") && $0.contains("/watchbuild/")
    }
    if isOurs { return "a build of another watchbuild" }
    return command.count > limit ? command.prefix(limit - 1) + "…" : command
  }
}
