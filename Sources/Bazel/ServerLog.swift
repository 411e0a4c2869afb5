import Glibc
import Processes
import SystemPackage

/// The log of Bazel's server, which names each command that it was given: pure but for `tail`.
///
/// Source: `GrpcServerImpl.executeCommand` in Bazel
enum ServerLog {
  struct Command: Hashable {
    /// `build`, `test` and the like.
    var verb: String
    /// What the user typed after it.
    var arguments: [String]
    var directory: String?

    /// Without what may be secret.
    var description: String {
      let text = Redaction.arguments(["bazel", verb] + arguments).joined(separator: " ")
      let place = directory.map { " in \($0)" } ?? ""
      return (text.count > 160 ? text.prefix(160) + "…" : text[...]) + place
    }
  }

  /// Commands that analyse targets, and so have a use for the analysis cache.
  private static let analysing: Set = [
    "aquery", "build", "coverage", "cquery", "mobile-install", "print_action", "run", "test",
  ]

  /// The command with other options that used the analysis cache before our own.
  ///
  /// The server writes its log late, so that our own command, the latest, may not be in it yet.
  ///
  /// - `arguments`: our own after the verb.
  /// - Returns: `nil` where it can't be told for sure.
  static func culprit(in log: [UInt8], before arguments: [String]) -> Command? {
    let commands = log.split(separator: UInt8(ascii: "\n"))
      .compactMap { command(String(decoding: $0, as: UTF8.self)) }
      .filter { analysing.contains($0.verb) }
    let own = options(arguments)
    let earlier =
      commands.last.map { options($0.arguments) == own } == true
      ? commands.dropLast() : commands[...]
    return earlier.last.flatMap { options($0.arguments) == own ? nil : $0 }
  }

  /// Without the one that comes and goes in our own commands: it makes no other build of it.
  private static func options(_ arguments: [String]) -> [String] {
    arguments.prefix { $0 != "--" }.filter { $0 != ServerWatch.option }
  }

  /// The end of the log of a workspace's server; empty where it can't be read.
  static func tail(of workspace: FilePath) -> [UInt8] {
    guard let path = OutputBase.find(for: workspace)?.appending("java.log"),
      // Without it nobody is named, and all else is told the same.
      let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec)
    else { return [] }
    defer {
      // Closing after reading loses nothing.
      try? file.close()
    }
    let limit: Int64 = 512 << 10
    // As above.
    let size = (try? file.seek(offset: 0, from: .end)) ?? 0
    return [UInt8](unsafeUninitializedCapacity: Int(limit)) { buffer, count in
      count =
        (try? file.read(
          fromAbsoluteOffset: max(0, size - limit), into: UnsafeMutableRawBufferPointer(buffer)))
        ?? 0
    }
  }

  /// `… executeCommand] [build, --startup_time=14, …, --client_cwd=/w, -c, opt, //a:b]`, which newer
  /// servers write as `… Executing command [build, …]`.
  private static func command(_ line: String) -> Command? {
    let starts = ["executeCommand] [", "Executing command ["]
    guard let start = starts.lazy.compactMap({ line.firstRange(of: $0) }).first,
      let end = line.lastIndex(of: "]"), start.upperBound <= end
    else { return nil }
    var words = line[start.upperBound..<end].split(separator: ", ").map(String.init)[...]
    guard let verb = words.popFirst() else { return nil }
    // What the client adds comes first.
    var directory: String?
    let added = [
      "--startup_time=", "--command_wait_time=", "--extract_data_time=", "--binary_path=",
      "--rc_source=", "--default_override=", "--client_env=", "--client_cwd=",
      "--restart_reason=", "--ignore_client_env", "--emacs", "--noemacs",
    ]
    if let last = words.lastIndex(where: { word in added.contains(where: word.hasPrefix) }) {
      directory = words.first { $0.hasPrefix("--client_cwd=") }.map { String($0.dropFirst(13)) }
      words = words[(last + 1)...]
    }
    return Command(verb: verb, arguments: Array(words), directory: directory)
  }
}
