import Batching
import Foundation
import Runner
import SystemPackage
import TestSupport
import Testing
import Watcher

/// The index against Bazel itself: what it plans must hold all that a full build changes.
///
/// `WATCHBUILD_ORACLE=PACKAGES,IMAGES,EDITS,SEED` chooses a larger workspace, more edits or a seed
/// that has failed; without it a size that takes a few minutes.
@Suite(.serialized, .bazel, .timeLimit(.minutes(60)))
struct OracleTests {
  private struct Run {
    var packages = 72
    var images = 24
    var edits = 200
    /// The same in each run, so that a change is judged by its own faults; others by the variable.
    var seed: UInt64 = 572_056

    init() {
      let given = (ProcessInfo.processInfo.environment["WATCHBUILD_ORACLE"] ?? "")
        .split(separator: ",").compactMap { Int($0) }
      if given.count > 0 { packages = given[0] }
      if given.count > 1 { images = given[1] }
      if given.count > 2 { edits = given[2] }
      if given.count > 3 { seed = UInt64(given[3]) }
    }
  }

  @Test func `planned images hold all whose tar a full build changes`() async throws {
    let run = Run()
    print("oracle: \(run.packages) packages, \(run.images) images, seed \(run.seed)")
    var oracle = try OracleWorkspace(packages: run.packages, images: run.images, seed: run.seed)
    let result: Result<Void, any Error>
    do {
      result = .success(try await check(&oracle, edits: run.edits, seed: run.seed))
    } catch {
      result = .failure(error)
    }
    await oracle.workspace.end()
    try result.get()
  }

  private func check(_ oracle: inout OracleWorkspace, edits: Int, seed: UInt64) async throws {
    let root = oracle.workspace.root
    let bazel = try oracle.workspace.bazel()
    let images = try oracle.imageNames.map {
      ImageTarget(
        name: $0, label: try #require(Label("//images/\($0):image")),
        key: BatchKey(workspace: root))
    }
    var digests = try await build(oracle)
    var index = try await bazel.index(of: images, base: nil).index
    #expect(!index.links.isIncomplete)
    var (planned, changed, exact, queries) = (0, 0, 0, 0)
    var history: [String] = []
    for number in 1...edits {
      let edit = try oracle.edit()
      history.append(edit.what)
      var effect = Effect()
      func map() {
        for change in edit.changes {
          effect.formUnion(
            index.effect(
              of: change, isPackage: { PackageDirectory.exists(root.appending($0)) },
              isLink: SymbolicLink.exists))
        }
      }
      map()
      if effect.isStale {
        queries += 1
        index = try await bazel.index(of: images, base: index).index
        map()
      }
      let before = digests
      digests = try await build(oracle)
      let different = Set(images.map(\.name).filter { before[$0] != digests[$0] })
      #expect(
        different.isSubset(of: effect.images),
        """
        seed \(seed), edit \(number): \(different.subtracting(effect.images).sorted()) not planned after
        \(history.suffix(4).joined(separator: "; "))
        """
      )
      planned += effect.images.count
      changed += different.count
      if different == effect.images { exact += 1 }
    }
    let ratio = Double(planned) / Double(max(changed, 1))
    print(
      "oracle: \(edits) edits, \(changed) images changed, \(planned) planned",
      "(\((ratio * 100).rounded() / 100) for each changed), \(exact) edits mapped exactly, \(queries) queries"
    )
    #expect(changed > 0)
  }

  /// A full build of everything.
  ///
  /// - Returns: Each image's digest, read from the disk.
  private func build(_ oracle: OracleWorkspace) async throws -> [String: Digest] {
    let root = oracle.workspace.root
    let output = Collected()
    let exit = try await SubprocessRunner().run(
      Command(
        "bazel",
        ["build", "--noshow_progress", "--color=no", "--spawn_strategy=local", "//images/..."],
        in: root)
    ) { output.add($0) }
    try #require(exit == .exited(0), "\(output.standardError)")
    var digests: [String: Digest] = [:]
    for name in oracle.imageNames {
      let tar = root.appending("bazel-bin").appending("images").appending(name)
        .appending("image.tar")
      digests[name] = Digest(of: try Data(contentsOf: URL(fileURLWithPath: tar.string)))
    }
    return digests
  }
}
