import SystemPackage

/// Whether watchbuild and the user's terminal give Bazel the same options.
///
/// Where they alternate, Bazel analyses everything anew each time, or even starts its server anew.
enum BazelOptionsCheck {
  static func findings(for settings: Settings) -> [Finding] {
    [startup(settings), shared(settings), watchFS(in: settings.workspace)].compactMap(\.self)
  }

  private static func startup(_ settings: Settings) -> Finding? {
    guard !settings.startupOptions.isEmpty else { return nil }
    let lines = settings.startupOptions.map { "startup \($0)" }.joined(separator: "; ")
    return Finding(
      "bazel startup options", .warn,
      "watchbuild.yaml has startupOptions: unless every command in your terminal has them too, each "
        + "one starts the server anew",
      remedy: "move them to .bazelrc: \(lines)")
  }

  private static func shared(_ settings: Settings) -> Finding? {
    guard !settings.bazelOptions.isEmpty else { return nil }
    return Finding(
      "bazel options", .ok,
      "\(settings.bazelOptions.joined(separator: " ")) from watchbuild.yaml: a 'bazel build' without "
        + "them discards the analysis cache, and the next cycle's analysis starts from nothing",
      remedy:
        "put 'build \(settings.bazelOptions.joined(separator: " "))' into .bazelrc, where your "
        + "terminal has them too")
  }

  /// It spares Bazel the look at every file, but turning it on and off costs a look at all of them.
  private static func watchFS(in workspace: FilePath) -> Finding {
    let text = bazelrc(in: workspace)
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    let isOn = lines.contains { words in
      ["build", "common", "startup", "always"].contains(words.first ?? "")
        && words.dropFirst().contains { $0 == "--watchfs" || $0 == "--watchfs=true" }
    }
    if isOn { return Finding("bazel --watchfs", .ok, "in .bazelrc, for every command alike") }
    return Finding(
      "bazel --watchfs", .ok,
      "not in .bazelrc: Bazel looks at every file at the start of each build, which 'watchbuild "
        + "profile' shows as init",
      remedy: "where init is long, put 'common --watchfs' into .bazelrc; given on the command line "
        + "only, it costs a full scan each time it comes and goes")
  }

  private static func bazelrc(in workspace: FilePath) -> String {
    // A file that is not there or can't be read says nothing.
    let bytes = (try? Disk.read(workspace.appending(".bazelrc"), limit: 1 << 20)) ?? []
    return String(decoding: bytes, as: UTF8.self)
  }
}
