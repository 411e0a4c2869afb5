package import Basics
import Glibc
import Processes
import Synchronization
import SystemPackage

/// Options that a workspace's Bazel has refused to know, remembered for the run: only its answer
/// tells.
package final class UnknownOptions: Sendable {
  private struct Refused: Hashable {
    var option: String
    var bazel: String
  }

  /// Asked again after so long: another Bazel may be behind the same name by then.
  private static let seconds = 86_400.0
  private static let fileName = "unknown-options"

  private let refused: Mutex<Set<Refused>>
  private let directory: PrivateDirectory?

  /// - Parameter directory: Where the next run finds what this one learns; `nil`: nowhere.
  package init(in directory: PrivateDirectory? = nil) {
    self.directory = directory
    refused = Mutex(directory.map(Self.read) ?? [])
  }

  /// The options without those that were refused here.
  func known(_ options: [String], of executable: String, in workspace: FilePath) -> [String] {
    let bazel = Self.identity(of: executable, in: workspace)
    return refused.withLock { refused in
      options.filter { !refused.contains(Refused(option: $0, bazel: bazel)) }
    }
  }

  /// Takes note of Bazel's complaint.
  ///
  /// - Parameters:
  ///   - problem: What it said.
  ///   - options: That were given to it and that we can do without.
  ///   - executable: The Bazel that said it.
  ///   - workspace: Where it was asked.
  /// - Returns: Whether the complaint is about one of them, so that the command is worth another try.
  func learn(
    from problem: String, options: [String], of executable: String, in workspace: FilePath
  ) -> Bool {
    guard problem.contains("Unrecognized option: "),
      let option = options.first(where: { problem.contains("Unrecognized option: \($0)") })
    else { return false }
    let refusal = Refused(option: option, bazel: Self.identity(of: executable, in: workspace))
    let all = refused.withLock { refused -> Set<Refused>? in
      refused.insert(refusal).inserted ? refused : nil
    }
    guard let all else { return false }
    if let directory { Self.write(all, to: directory) }
    return true
  }

  /// Which Bazel it is, as far as that can be told without asking it: the program, and the version that a wrapper is
  /// told to run in a workspace.
  private static func identity(of executable: String, in workspace: FilePath) -> String {
    let path =
      executable.contains("/")
      ? FilePath(executable)
      : ExecutablePath.find(executable, in: getenv("PATH").map { String(cString: $0) })
    var status = stat()
    let isThere = path?.withPlatformString({ stat($0, &status) }) == 0
    let program =
      isThere ? "\(status.st_ino) \(status.st_size) \(status.st_mtim.tv_sec)" : executable
    let version = SmallFile.text(of: workspace.appending(".bazelversion"), limit: 1 << 10) ?? ""
    let wanted = getenv("USE_BAZEL_VERSION").map { String(cString: $0) } ?? ""
    let text = "\(program) \(workspace) \(version) \(wanted)"
    return String(Checksum.of(Array(text.utf8)[...]), radix: 16)
  }

  // MARK: The file

  private static func read(_ directory: PrivateDirectory) -> Set<Refused> {
    // What can't be read is asked again, which costs a moment.
    guard let bytes = try? directory.openExisting()?.read(fileName, limit: 1 << 16) else {
      return []
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard let time = lines.first.flatMap({ Double($0) }), abs(FileClock.now - time) < seconds
    else { return [] }
    return Set(
      lines.dropFirst().compactMap { line in
        let words = line.split(separator: " ")
        return words.count == 2
          ? Refused(option: String(words[0]), bazel: String(words[1])) : nil
      })
  }

  private static func write(_ refused: Set<Refused>, to directory: PrivateDirectory) {
    let lines = refused.map { "\($0.option) \($0.bazel)\n" }.sorted().joined()
    // As above.
    try? directory.open().replace(fileName, with: "\(FileClock.now)\n\(lines)".utf8)
  }
}
