import Basics
import SystemPackage

/// All files of options that Bazel reads in a workspace: the user's, the workspace's, and what they
/// import.
struct BazelRCFiles {
  /// Absolute; be they there or not, so that one which comes is seen. Those of the machine are left
  /// out: nobody edits these while they work.
  private(set) var files: Set<FilePath> = []
  /// The words of all lines, the command first.
  private(set) var lines: [[String]] = []
  /// Options that come before the command.
  private let startup: [String]
  /// The user's.
  let home: FilePath?

  /// More than a person writes: of one file, and of how many.
  private static let maximumSize = 1 << 20
  private static let maximumCount = 1000

  /// - Parameter startupOptions: Those of our own.
  init(workspace: FilePath, user: UserEnvironment, startupOptions: [String] = []) {
    startup = startupOptions
    home = user.home
    let machine: [FilePath] = ["/etc/bazel.bazelrc", "/etc/bazel/bazelrc"]
    let named = Self.values(of: "bazelrc", in: startupOptions).map {
      BazelRC.path($0, workspace: workspace, home: user.home)
    }
    let own =
      [workspace.appending(".bazelrc"), user.home?.appending(".bazelrc")].compactMap(\.self)
      + user.rcFiles.map { workspace.pushing($0).lexicallyNormalized() } + named
    var seen: Set<FilePath> = []
    var waiting = Array((machine + own).reversed())
    while let file = waiting.popLast(), seen.count < Self.maximumCount {
      guard seen.insert(file).inserted else { continue }
      if !machine.contains(file) { files.insert(file) }
      guard let text = SmallFile.text(of: file, limit: Self.maximumSize) else { continue }
      let read = BazelRC(text, workspace: workspace, home: user.home)
      lines += read.lines
      waiting += read.imports
    }
  }

  /// The words of options of commands, of all `--config`s alike.
  var commandOptions: [String] {
    lines.filter { $0.first?.hasPrefix("startup") == false }.flatMap { $0.dropFirst() }
  }

  /// The last value of a startup option.
  func startupOption(_ name: String) -> String? {
    let words = lines.filter { $0.first == "startup" }.flatMap { $0.dropFirst() } + startup
    return Self.values(of: name, in: words).last
  }

  /// The values of `--name=value` and `--name value`.
  static func values(of name: String, in words: [String]) -> [String] {
    var values: [String] = []
    for (position, word) in words.enumerated() {
      if word.hasPrefix("--\(name)=") {
        values.append(String(word.dropFirst(name.count + 3)))
      } else if word == "--\(name)", position + 1 < words.count {
        values.append(words[position + 1])
      }
    }
    return values
  }
}
