/// The man page, made from what `--help` is made from.
struct ManualPage {
  private static let environment = [
    (
      "WATCHBUILD_OPTION",
      "The default of --option, such as WATCHBUILD_DEBOUNCE=50ms of --debounce."
    ),
    ("BAZEL", "The Bazel or Bazelisk to run."),
    ("NO_COLOR", "Where it is set, the output has no colour."),
    ("XDG_STATE_HOME", "Where state is kept; by default ~/.local/state."),
    ("XDG_RUNTIME_DIR", "Where the control socket lies; without it, in the state directory."),
    (
      "DOCKER_HOST, DOCKER_CONTEXT, CONTAINER_HOST, CONTAINERD_ADDRESS",
      "Where images go, as for those programs."
    ),
  ]
  private static let files = [
    ("watchbuild.yaml", "The configuration, at the root of the workspace."),
    (
      "~/.local/state/watchbuild/",
      "A directory for each workspace: index, logs, profiles and the image store."
    ),
  ]

  private let tree: CommandTree
  private let version: String
  /// Long names of the options that every command has.
  private let common: Set<[String]>

  init(of tree: CommandTree, version: String) {
    self.tree = tree
    self.version = version
    let commands = Self.commands(tree).filter { !$0.tree.options.isEmpty }
    common =
      commands.map { Set($0.tree.options.map(\.longNames)) }
      .reduce(nil) { all, names in all.map { $0.intersection(names) } ?? names } ?? []
  }

  var lines: [String] {
    var page = Roff()
    page.raw(".TH WATCHBUILD 1 \"\" \"watchbuild \(version)\" \"User Commands\"")
    page.section("NAME")
    page.raw("watchbuild \\- keep the container images of a Bazel workspace up to date")
    page.section("SYNOPSIS")
    page.raw(
      "\(Roff.bold("watchbuild")) \(Roff.italic("command")) [\\fIoptions\\fR] [\\fIarguments\\fR]")
    page.section("DESCRIPTION")
    page.prose(
      """
      It watches a Bazel workspace. When files are saved, it builds the affected images with one bazel build, loads \
      what changed into the local container runtime, and restarts what is configured to run it.
      """)
    page.prose(tree.discussion ?? "")
    page.section("COMMANDS")
    for command in Self.commands(tree) { describe(command, in: &page) }
    page.section("OPTIONS OF EVERY COMMAND")
    let shared = Self.commands(tree).flatMap(\.tree.options)
    var told: Set<[String]> = []
    for option in shared where common.contains(option.longNames) {
      guard told.insert(option.longNames).inserted else { continue }
      Self.describe(option, in: &page)
    }
    page.item(Roff.bold("-h") + ", " + Roff.bold("--help"), "Show help information.")
    page.section("ENVIRONMENT")
    for (name, text) in Self.environment { page.item(Roff.bold(name), text) }
    page.section("FILES")
    for (name, text) in Self.files { page.item(Roff.italic(name), text) }
    page.section("SEE ALSO")
    page.raw(".BR bazel (1), .BR docker (1), .BR podman (1), .BR inotify (7)")
    return page.lines
  }

  private func describe(_ command: (path: String, tree: CommandTree), in page: inout Roff) {
    page.subsection("watchbuild \(command.path)")
    if let abstract = command.tree.abstract { page.prose(abstract) }
    if let discussion = command.tree.discussion { page.prose(discussion) }
    let names = Set((command.tree.arguments ?? []).flatMap(\.longNames))
    for argument in command.tree.arguments ?? [] where argument.shouldDisplay != false {
      // Told with the flag that it turns off.
      guard !argument.longNames.contains(where: { names.contains(Self.turnedOff($0)) }) else {
        continue
      }
      let isCommon = common.contains(argument.longNames) || argument.longNames.contains("--help")
      guard !isCommon, !argument.longNames.contains("--version") else { continue }
      let isPair = argument.longNames.contains { names.contains("--no-\($0.dropFirst(2))") }
      Self.describe(argument, isPair: isPair, in: &page)
    }
    if let examples = HelpExamples.lines[command.path] { page.literal(examples) }
  }

  /// `--keep-going`, of `--no-keep-going`.
  private static func turnedOff(_ name: String) -> String {
    name.hasPrefix("--no-") ? "--\(name.dropFirst(5))" : ""
  }

  /// - Parameter isPair: There is a flag that turns it off, too.
  private static func describe(
    _ argument: CommandTree.Argument, isPair: Bool = false, in page: inout Roff
  ) {
    let value = argument.valueName ?? ""
    var name: String
    switch argument.kind {
    case "positional": name = Roff.italic(value)
    case "flag" where isPair:
      name = argument.longNames.map { Roff.bold("--[no-]\($0.dropFirst(2))") }
        .joined(separator: ", ")
    case "flag": name = argument.spellings.map(Roff.bold).joined(separator: ", ")
    default:
      name = argument.spellings.map(Roff.bold).joined(separator: ", ") + " " + Roff.italic(value)
    }
    if argument.isRepeating { name += " ..." }
    page.item(name, argument.abstract ?? "")
  }

  /// All commands that a person calls, each with the words that name it.
  private static func commands(
    _ tree: CommandTree, below path: [String] = []
  ) -> [(
    path: String, tree: CommandTree
  )] {
    (tree.subcommands ?? []).filter { $0.shouldDisplay != false && $0.commandName != "help" }
      .flatMap { command in
        let path = path + [command.commandName]
        return [(path.joined(separator: " "), command)] + commands(command, below: path)
      }
  }
}
