package import Graph
import Synchronization

extension Bazel {
  /// Tells which images there are and what they are made of: one `bazel query`.
  ///
  /// Finds rules of the known kinds and rules tagged `watchbuild` where the patterns say, `manual` or not, but none
  /// tagged `no-watchbuild`.
  ///
  /// - Parameters:
  ///   - patterns: Where images are looked for.
  ///   - listed: Targets that a query has answered with. Those that only serve another of them are left out.
  ///   - labels: Targets that are images because somebody says so.
  /// - Returns: What was found. Packages that can't be loaded are passed over, and `update` is told
  ///   what is wrong in them.
  /// - Throws: `BazelError` when there is no answer; `CommandError`; `CancellationError`.
  package func findImages(
    in patterns: [LabelPattern] = [], listed: [Label] = [], named labels: [Label] = [],
    waitsForLock: Bool = true,
    update: @escaping @Sendable (BuildUpdate) -> Void = { _ in }
  ) async throws -> FoundImages {
    guard !patterns.isEmpty || !labels.isEmpty || !listed.isEmpty else { return FoundImages() }
    let (targets, answer) = try await all(
      StoryQuery.text(labels: Set(labels + listed).sorted(), patterns: patterns),
      attributes: StoryQuery.attributes.joined(separator: ","), waitsForLock: waitsForLock,
      update: update)
    let story = ImageStory(targets)
    let named = labels.filter(story.knows).map { ($0, story.image($0)) }
    return FoundImages(
      images: story.images(listed: listed) { label in patterns.contains { $0.matches(label) } },
      named: Dictionary(named) { first, _ in first }, isPartial: answer.isPartial)
  }

  /// The targets that a query expression or target pattern stands for, sorted, each once.
  ///
  /// - Returns: Their labels, and whether there may be more.
  /// - Throws: As `findImages`; also when the expression is none.
  package func expand(
    _ expression: String, waitsForLock: Bool = true,
    update: @escaping @Sendable (BuildUpdate) -> Void = { _ in }
  ) async throws -> (labels: [Label], isPartial: Bool) {
    let (found, answer) = try await all(
      expression, attributes: "none", waitsForLock: waitsForLock, update: update)
    let labels = Set(found.compactMap { Label($0.entry.name) }).sorted()
    return (labels, answer.isPartial)
  }

  private func all(
    _ expression: String, attributes: String, waitsForLock: Bool,
    update: @escaping @Sendable (BuildUpdate) -> Void
  ) async throws -> (targets: [QueryStream.Target], answer: QueryAnswer) {
    let found = Mutex<[QueryStream.Target]>([])
    let answer = try await targets(
      expression, attributes: attributes, waitsForLock: waitsForLock, update: update
    ) { target in
      found.withLock { $0.append(target) }
    }
    return (found.withLock { $0 }, answer)
  }
}
