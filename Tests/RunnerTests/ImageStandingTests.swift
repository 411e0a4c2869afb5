import SystemPackage
import Testing
import Watcher

@testable import Graph
@testable import Runner

/// How images stand by a saved index and what has changed since.
struct ImageStandingTests {
  private func standings(
    changes: [(String, FileChange.Kind)] = [], owed: Set<String> = [], isPartial: Bool = false
  ) throws -> [String: ImageStanding] {
    var builder = TargetIndex.Builder(workspace: "/w")
    for name in ["a", "b"] {
      builder.add(.rule(name: "//\(name):image", kind: "image", inputs: ["//\(name):x.txt"]))
      builder.add(.sourceFile(name: "//\(name):BUILD", loads: []))
      builder.add(.sourceFile(name: "//\(name):x.txt", loads: []))
    }
    let images = try ["a", "b"].map {
      ImageTarget(
        name: $0, label: try #require(Label("//\($0):image")), key: BatchKey(workspace: "/w"))
    }
    let saved = IndexFile.Saved(
      index: builder.build(images: images, isPartial: isPartial),
      changes: changes.map { FileChange(path: FilePath($0.0), kind: $0.1) }, owed: owed)
    return SavedIndexes.standings(saved, of: ["a", "b"], disk: DiskQuestions())
  }

  @Test func `what nothing has changed of is current`() throws {
    #expect(try standings() == ["a": .current, "b": .current])
  }

  @Test func `a changed source is told, and so is what was owed before`() throws {
    #expect(
      try standings(changes: [("/w/a/x.txt", .modified)], owed: ["b"]) == [
        "a": .owed(because: "a/x.txt has changed"),
        "b": .owed(because: "it was not up to date when dev ended"),
      ])
  }

  @Test func `with another graph nothing is known to be current`() throws {
    #expect(
      try standings(changes: [("/w/a/BUILD", .modified)])
        == ["a": .owed(because: "a/BUILD has changed")])
    #expect(try standings(isPartial: true).isEmpty)
  }
}
