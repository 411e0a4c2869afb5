import Basics
import Glibc
import Graph
import SystemPackage
import Watcher

/// Finds files of other repositories that changed before anybody watched them.
///
/// Where Bazel keeps other repositories may be known only after the first build. A save made there during that
/// build reached no watcher.
enum UnwatchedChanges {
  /// Looks at the files outside the main repository.
  ///
  /// - Parameters:
  ///   - index: The graph, with the places that links lead to.
  ///   - moment: Seconds since 1970. A file whose status changed then or later counts as changed.
  static func find(in index: TargetIndex, since moment: Double) -> [FileChange] {
    var roots: [String: [(prefix: String, target: String)]] = [:]
    for (target, places) in index.links.places {
      for place in places where !place.repository.isEmpty {
        roots[place.repository, default: []].append((place.path, target))
      }
    }
    guard !roots.isEmpty else { return [] }
    var found: Set<FilePath> = []
    index.forEachFile { _, label in
      for (prefix, target) in roots[String(label.repository)] ?? [] {
        let path = label.path
        guard prefix.isEmpty || path == prefix || path.hasPrefix(prefix + "/") else { continue }
        let rest = path.dropFirst(prefix.utf8.count).drop { $0 == "/" }
        let file = FilePath(target).appending(String(rest))
        if changed(file) >= moment { found.insert(file) }
      }
    }
    return found.map { FileChange(path: $0, kind: .modified) }
      .sorted { $0.path.string < $1.path.string }
  }

  /// When the file's status changed, in seconds since 1970; 0 where there is no file.
  private static func changed(_ path: FilePath) -> Double {
    var status = stat()
    guard path.withPlatformString({ lstat($0, &status) }) == 0 else { return 0 }
    return FileClock.seconds(status.st_ctim)
  }
}
