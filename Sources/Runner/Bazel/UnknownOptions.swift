import Batching
import Synchronization
import SystemPackage

/// Options that a workspace's Bazel has refused to know, remembered for the run: only its answer
/// tells.
package final class UnknownOptions: Sendable {
  private struct Refused: Hashable {
    var option: String
    var workspace: FilePath
    /// Another version may know it.
    var version: String?
  }

  private let refused = Mutex<Set<Refused>>([])

  package init() {}

  /// The options without those that were refused here.
  func known(_ options: [String], in workspace: FilePath) -> [String] {
    let version = Self.version(in: workspace)
    return refused.withLock { refused in
      options.filter { option in
        !refused.contains(Refused(option: option, workspace: workspace, version: version))
      }
    }
  }

  /// Takes note of Bazel's complaint.
  ///
  /// - Parameters:
  ///   - problem: What it said.
  ///   - options: That were given to it and that we can do without.
  /// - Returns: Whether the complaint is about one of them, so that the command is worth another try.
  func learn(from problem: String, options: [String], in workspace: FilePath) -> Bool {
    guard problem.contains("Unrecognized option: "),
      let option = options.first(where: { problem.contains("Unrecognized option: \($0)") })
    else { return false }
    let version = Self.version(in: workspace)
    return refused.withLock {
      $0.insert(Refused(option: option, workspace: workspace, version: version)).inserted
    }
  }

  private static func version(in workspace: FilePath) -> String? {
    SmallFile.text(of: workspace.appending(".bazelversion"), limit: 1 << 10)
  }
}
