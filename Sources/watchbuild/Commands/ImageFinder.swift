import Basics
import Bazel
import Graph
import Settings
import SystemPackage

/// Asks Bazel which images there are and how they are made; shared by all commands that need to know.
///
/// One query for all that is searched for and named in the workspace, one more for each `query` of the configuration
/// and for each other workspace.
struct ImageFinder: Sendable {
  struct Answer: Sendable {
    var images: [FoundImage] = []
    /// What is known of labels, by the other workspace that they belong to.
    var named: [FilePath?: [Label: FoundImage]] = [:]
    var isPartial = false
  }

  let bench: Workbench

  private var selection: ImageSelection { bench.settings.selection }

  /// - Parameter known: Found before: what was known of a label stays known where Bazel can't tell.
  /// - Throws: `Problem` when Bazel gives no answer and images are to be found. What is named is known to be an image
  ///   without it, and then the build tells what is wrong.
  func find(known: [ImageTarget] = []) async throws -> Answer {
    var answer = Answer()
    let sources = KnownSources(bench: bench)
    // Only a start may take what an earlier run knew: later, something has changed.
    if known.isEmpty, !bench.findsImages, let named = await sources.load() {
      answer.named = named
      return answer
    }
    do {
      try await search(&answer)
    } catch let error as BazelError {
      sources.forget()
      guard !bench.findsImages, !error.isLockHeld else { throw bench.problem(error) }
    }
    for workspace in selection.otherWorkspaces.sorted(by: { $0.string < $1.string }) {
      do {
        answer.named[workspace] = try await bench.bazel(in: workspace).findImages(
          named: selection.labels(in: workspace), waitsForLock: bench.settings.waitsForLock
        ).named
      } catch let error as BazelError {
        sources.forget()
        guard !error.isLockHeld else { throw bench.problem(error) }
      }
    }
    if !bench.findsImages, !answer.named.values.allSatisfy(\.isEmpty) { sources.save(answer.named) }
    keep(known, in: &answer)
    return answer
  }

  private func search(_ answer: inout Answer) async throws {
    let bazel = bench.bazel(in: bench.settings.workspace)
    var listed: [Label] = []
    for query in selection.queries {
      let found = try await bazel.expand(
        query.expression, waitsForLock: bench.settings.waitsForLock, update: bench.tell)
      listed += found.labels.filter(query.admits)
      answer.isPartial = answer.isPartial || found.isPartial
    }
    // Of what is named alone, the build tells what is wrong.
    let isSearching = bench.findsImages
    let hear: @Sendable (BuildUpdate) -> Void = { [bench] update in
      if isSearching { bench.tell(update) }
    }
    let found = try await bazel.findImages(
      in: selection.patterns, listed: listed, named: selection.labels(in: nil),
      waitsForLock: bench.settings.waitsForLock, update: hear)
    answer.images = found.images
    answer.named[nil] = found.named
    answer.isPartial = answer.isPartial || (found.isPartial && bench.findsImages)
  }

  private func keep(_ known: [ImageTarget], in answer: inout Answer) {
    for image in known where !image.isFound {
      let workspace = image.key.workspace == bench.settings.workspace ? nil : image.key.workspace
      guard answer.named[workspace]?[image.label] == nil else { continue }
      answer.named[workspace, default: [:]][image.label] = FoundImage(
        label: image.label, source: image.source)
    }
  }
}
