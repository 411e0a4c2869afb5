import Basics
import Bazel
import Foundation
import Graph
import Images
import SystemPackage
import TestSupport
import Testing

/// The index against Bazel itself: what it plans must hold all that a full build changes.
///
/// `WATCHBUILD_ORACLE=PACKAGES,IMAGES,EDITS,SEED` chooses a larger workspace, more edits or a seed
/// that has failed; without it a size that takes a few minutes.
@Suite(.serialized, .bazel, .timeLimit(.minutes(60)), .eachBazel)
struct OracleTests {
  struct Run: CustomTestStringConvertible, Sendable {
    var packages = 72
    var images = 24
    var edits = 100
    var seed: UInt64

    var testDescription: String { replay }

    /// What chooses this run again.
    var replay: String { "WATCHBUILD_ORACLE=\(packages),\(images),\(edits),\(seed)" }
  }

  /// One seed is the same in each run, so that a change is judged by its own faults, and one is new,
  /// so that what nobody has thought of is found in time.
  static var runs: [Run] {
    let given = (ProcessInfo.processInfo.environment["WATCHBUILD_ORACLE"] ?? "")
      .split(separator: ",").compactMap { UInt64($0) }
    func run(_ seed: UInt64) -> Run {
      var run = Run(seed: seed)
      if given.count > 0 { run.packages = Int(given[0]) }
      if given.count > 1 { run.images = Int(given[1]) }
      if given.count > 2 { run.edits = Int(given[2]) }
      return run
    }
    if given.count > 3 { return [run(given[3])] }
    return [run(572_056), run(.random(in: 1...999_999_999))]
  }

  @Test(arguments: runs)
  func `planned images hold all whose tar a full build changes`(run: Run) async throws {
    var oracle = try OracleWorkspace(packages: run.packages, images: run.images, seed: run.seed)
    say("\(run.replay) with \(TestBazel.current)")
    let result: Result<Void, any Error>
    do {
      result = .success(try await check(&oracle, run))
    } catch {
      result = .failure(error)
    }
    await oracle.workspace.end()
    try result.get()
  }

  private func check(_ oracle: inout OracleWorkspace, _ run: Run) async throws {
    let root = oracle.workspace.root
    let bazel = try oracle.workspace.bazel()
    let images = try oracle.imageNames.map {
      ImageTarget(
        name: $0, label: try #require(Label("//images/\($0):image")),
        key: BatchKey(workspace: root))
    }
    var digests = try await build(images, with: bazel)
    var index = try await bazel.index(of: images, base: nil).index
    if oracle.hasConvenienceLinks { #expect(!index.links.isIncomplete) }
    var tally = Tally()
    var history: [String] = []
    for number in 1...run.edits {
      let edit = try oracle.edit()
      history.append(edit.what)
      var effect = Effect()
      func map() {
        for change in edit.changes {
          effect.formUnion(
            index.effect(
              of: change, isPackage: { BuildFileName.marksPackage(root.appending($0)) },
              isLink: SymbolicLink.exists))
        }
      }
      map()
      if effect.isStale {
        tally.queries += 1
        index = try await bazel.index(of: images, base: index).index
        map()
      }
      let before = digests
      digests = try await build(images, with: bazel)
      let different = Set(images.map(\.name).filter { before[$0] != digests[$0] })
      tally.add(changed: different, planned: effect.images, by: edit)
      #expect(
        different.isSubset(of: effect.images),
        """
        \(run.replay), edit \(number): \(different.subtracting(effect.images).count) images not planned after
        \(history.suffix(4).joined(separator: "; "))
        """
      )
    }
    say("seed \(run.seed): \(tally)")
    #expect(tally.changed > 0)
  }

  /// What the edits of a run came to.
  private struct Tally: CustomStringConvertible {
    var edits = 0
    var changed = 0
    var planned = 0
    var exact = 0
    var queries = 0
    /// Kinds of edits after which an image was missing, with how often.
    var missed: [String: Int] = [:]

    mutating func add(changed: Set<String>, planned: Set<String>, by edit: OracleWorkspace.Edit) {
      edits += 1
      self.changed += changed.count
      self.planned += planned.count
      if changed == planned { exact += 1 }
      if !changed.isSubset(of: planned) { missed[edit.what, default: 0] += 1 }
    }

    var description: String {
      let ratio = (Double(planned) / Double(max(changed, 1)) * 100).rounded() / 100
      return
        "\(edits) edits, \(changed) images changed, \(planned) planned (\(ratio) for each changed), "
        + "\(exact) edits mapped exactly, \(queries) queries, \(missed.values.reduce(0, +)) edits missed"
        + missed.sorted { $0.key < $1.key }.map { "\n  missed \($0.value)x: \($0.key)" }.joined()
    }
  }

  private func say(_ text: String) {
    // Among the runner's own lines; there is nobody to tell if it fails.
    _ = try? FileDescriptor.standardError.writeAll("◇ oracle: \(text)\n".utf8)
  }

  /// A full build of everything.
  ///
  /// - Returns: Each image's digest, read from the disk.
  private func build(
    _ images: [ImageTarget], with bazel: Bazel
  ) async throws -> [String: Digest] {
    let updates = BuildUpdates()
    let result = try await bazel.build(
      BuildRequest(targets: images.map(\.label)), update: updates.add)
    try #require(result.exitCode == 0, "\(result.problem ?? "") \(updates.diagnostics)")
    var digests: [String: Digest] = [:]
    let outcomes = Dictionary(updates.outcomes) { first, _ in first }
    for image in images {
      guard case .built(let outputs)? = outcomes[image.label], let tar = outputs["default"]?.first
      else { continue }
      digests[image.name] = Digest(of: try Data(contentsOf: URL(fileURLWithPath: tar.string)))
    }
    try #require(digests.count == images.count)
    return digests
  }
}
