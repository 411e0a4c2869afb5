import ArgumentParser
import Foundation
import Runner
import Settings
import SystemPackage

/// Names of images for a shell that completes a command line.
///
/// They are those that the latest run in the workspace knew. No program is started and nothing is watched: a shell
/// asks at every press of the key.
enum ImageNames {
  /// - Parameters:
  ///   - words: The command line so far, `-C DIR` among them.
  ///   - environment: Where the state directory lies.
  /// - Returns: The names in order; none where no run has been.
  static func known(
    _ words: [String], environment: [String: String], currentDirectory: FilePath
  ) -> [String] {
    // A shell has no use for an error: there is nothing to offer.
    guard
      let workspace = try? Settings.workspace(
        GivenOptions(directory: directory(in: words)), environment: environment,
        currentDirectory: currentDirectory),
      let state = try? StateDirectory.path(for: workspace, environment: environment)
    else { return [] }
    return SavedIndexes.imageNames(of: workspace, in: state).sorted()
  }

  /// The argument of the last `-C` or `--directory`.
  private static func directory(in words: [String]) -> FilePath? {
    if let word = words.last(where: { $0.hasPrefix("--directory=") }) {
      return FilePath(String(word.dropFirst("--directory=".count)))
    }
    guard let option = words.lastIndex(where: { ["-C", "--directory"].contains($0) }),
      words.indices.contains(option + 1)
    else { return nil }
    return FilePath(words[option + 1])
  }
}

extension CompletionKind {
  /// The images of the workspace that the command line names.
  static var imageNames: CompletionKind {
    .custom { words, _, _ in
      ImageNames.known(
        words, environment: ProcessInfo.processInfo.environment,
        currentDirectory: FilePath(FileManager.default.currentDirectoryPath))
    }
  }
}
