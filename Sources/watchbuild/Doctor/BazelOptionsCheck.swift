import Settings
import SystemPackage

/// Checks whether watchbuild and the user's terminal give Bazel the same options.
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
    let options = settings.bazelOptions.joined(separator: " ")
    return Finding(
      "bazel options", .ok,
      "\(options) from watchbuild.yaml; with 'build \(options)' in .bazelrc your terminal has them "
        + "too, and its builds do not discard the analysis cache")
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
      "not in .bazelrc; where 'watchbuild profile' shows a long init, 'common --watchfs' there spares "
        + "Bazel the look at every file (but not on the command line: each time it comes or goes "
        + "costs a full scan)")
  }

  private static func bazelrc(in workspace: FilePath) -> String {
    // A file that is not there or can't be read says nothing.
    let bytes = (try? Disk.read(workspace.appending(".bazelrc"), limit: 1 << 20)) ?? []
    return String(decoding: bytes, as: UTF8.self)
  }
}
