import Basics
import Bazel
import Graph
import Runner
import Settings
import SystemPackage
import Watcher

/// Maps paths and labels to the images that a change to them affects, by the index that a `dev` has
/// left or keeps, if the graph has not changed since; else asks Bazel once.
struct AffectedImages: Sendable {
  private enum Subject {
    case label(Label)
    case path(FilePath)
  }

  let bench: Workbench
  let images: [ImageTarget]
  /// The directory of relative paths.
  let directory: FilePath

  /// Names of the images that a change to any of the paths affects.
  func names(_ paths: [String]) async throws -> Set<String> {
    Set(try await explanations(paths).keys)
  }

  /// The same, each with the shortest way from a path to its target.
  ///
  /// - Throws: `Problem` for a path that is neither there nor known, and for a label that no image
  ///   depends on.
  func explanations(_ paths: [String]) async throws -> [String: [String]] {
    let subjects = try paths.map { (text: $0, subject: try subject($0)) }
    var indexes: [TargetIndex] = []
    for workspace in Set(images.map(\.key.workspace)).sorted(by: { $0.string < $1.string }) {
      indexes.append(try await index(of: workspace))
    }
    var found: [String: [String]] = [:]
    for (text, subject) in subjects {
      let ways = try await explanations(of: subject, in: indexes)
      guard let ways else { throw Self.unknown(text, subject) }
      found.merge(ways) { $0.count <= $1.count ? $0 : $1 }
    }
    return found
  }

  /// - Returns: `nil` for what does not exist, and did not when an index was made.
  private func explanations(
    of subject: Subject, in indexes: [TargetIndex]
  ) async throws -> [String: [String]]? {
    switch subject {
    case .label(let label):
      let ways = indexes.compactMap { $0.explanation(of: label) }
      return ways.isEmpty ? nil : TargetIndex.shortest(ways)
    case .path(let path):
      if Disk.exists(path) {
        return Self.explanation(of: path, .modified, in: indexes)
      }
      var knowing = indexes.filter { $0.knows(path) }
      // A file that a glob matched is known to the index of before it went alone.
      if knowing.isEmpty {
        let saved = SavedIndexes(in: bench.settings.stateDirectory, log: bench.log)
        for workspace in indexes.map(\.workspace) {
          if let index = await saved.last(of: workspace, images: own(workspace)), index.knows(path)
          {
            knowing.append(index)
          }
        }
      }
      guard !knowing.isEmpty else { return nil }
      return Self.explanation(of: path, .deleted, in: knowing)
    }
  }

  private static func explanation(
    of path: FilePath, _ kind: FileChange.Kind, in indexes: [TargetIndex]
  ) -> [String: [String]] {
    TargetIndex.shortest(
      indexes.map { $0.explanation(under: FileChange(path: path, kind: kind)) })
  }

  private static func unknown(_ text: String, _ subject: Subject) -> Problem {
    switch subject {
    case .label:
      Problem(
        "no image depends on a file or target named \(text)",
        hint: "labels are those of single files and targets, such as //lib:src/a.txt")
    case .path:
      Problem("no such file: \(text)", hint: "nor does an image depend on a file that was there")
    }
  }

  private func own(_ workspace: FilePath) -> [ImageTarget] {
    images.filter { $0.key.workspace == workspace }
  }

  private func index(of workspace: FilePath) async throws -> TargetIndex {
    let own = own(workspace)
    let saved = SavedIndexes(in: bench.settings.stateDirectory, log: bench.log)
    if let index = await saved.current(of: workspace, images: own) { return index }
    do {
      let (index, answer) = try await bench.bazel(in: workspace).index(
        of: own, base: nil, waitsForLock: bench.settings.waitsForLock, update: bench.tell)
      for diagnostic in answer.diagnostics { bench.tell(.diagnostic(diagnostic)) }
      return index
    } catch let error as BazelError {
      throw bench.problem(error)
    }
  }

  /// What the user named: a label, or a path, which is relative to where they are.
  private func subject(_ text: String) throws(Problem) -> Subject {
    let path = path(text)
    let isLabel = text.hasPrefix("//") || (text.hasPrefix("@") && !Disk.exists(path))
    guard isLabel else { return .path(path) }
    if let label = Label(text) { return .label(label) }
    throw Problem(
      LabelPattern(text) == nil ? "'\(text)' is no label" : "'\(text)' is a pattern, not a label",
      hint: "name a file, a directory, or a label such as //lib:src/a.txt")
  }

  private func path(_ text: String) -> FilePath {
    let given = directory.pushing(FilePath(text)).lexicallyNormalized()
    // The last part stays: a symbolic link among the sources is a file of its own.
    let parent = given.removingLastComponent()
    // A directory that is not there has no other real path.
    let real = (try? Disk.realPath(parent)) ?? parent
    return given.lastComponent.map { real.appending($0) } ?? real
  }
}
