import Graph
import SystemPackage
import Watcher

/// Finds the images that a mistake in a file holds up: pure but for what an index asks of the disk.
struct HeldUpBy: Sendable {
  var indexes: [TargetIndex] = []
  /// For where there is no index yet: a mistake in a package holds up its images.
  var targets: [ImageTarget] = []

  /// - Parameters:
  ///   - file: Relative to its workspace, or absolute.
  ///   - asked: Only images among these.
  func images(dependingOn file: String, among asked: Set<String>) -> [String] {
    let found = indexes.reduce(into: Set<String>()) { found, index in
      let path = index.workspace.pushing(FilePath(file))
      found.formUnion(index.effect(of: FileChange(path: path, kind: .modified)).images)
    }
    guard found.isEmpty else { return found.intersection(asked).sorted() }
    let directory = FilePath(file).removingLastComponent().string
    return targets.filter { $0.label.package == directory && asked.contains($0.name) }
      .map(\.name).sorted()
  }

  /// The same for what an action says that it does: "Compiling services/fraud/main.c".
  func images(named title: String, among asked: Set<String>) -> [String] {
    title.split(separator: " ").lazy.filter { $0.contains(".") || $0.contains("/") }
      .map { images(dependingOn: String($0), among: asked) }.first { !$0.isEmpty } ?? []
  }
}
