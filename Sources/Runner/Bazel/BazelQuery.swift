package import Batching

/// How an index query ended.
package struct QueryAnswer: Hashable, Sendable {
  /// Some packages could not be loaded; what was answered is right but not all.
  package var isPartial: Bool
  /// What is wrong in those packages. Their files must be watched too, or a fix goes unseen.
  package var diagnostics: [Diagnostic]
  /// The first of Bazel's complaints, in one line.
  package var problem: String?
  package var duration: Duration

  package init(
    isPartial: Bool = false, diagnostics: [Diagnostic] = [], problem: String? = nil,
    duration: Duration = .zero
  ) {
    self.isPartial = isPartial
    self.diagnostics = diagnostics
    self.problem = problem
    self.duration = duration
  }
}

extension Bazel {
  /// Asks for all that the index needs to know of the images: one `bazel query`.
  ///
  /// - Parameters:
  ///   - images: The targets whose dependencies are wanted.
  ///   - waitsForLock: `false`: throw at once when another command holds Bazel's lock.
  ///   - update: Called when the lock has to be waited for, one call at a time.
  ///   - entry: Called for each entry as it is read, one call at a time. An entry may come twice.
  /// - Returns: Whether the answer is whole.
  /// - Throws: `BazelError` when there is no answer; `CommandError`; `CancellationError`.
  package func query(
    _ images: [Label],
    waitsForLock: Bool = true,
    update: @escaping @Sendable (BuildUpdate) -> Void = { _ in },
    entry: @escaping @Sendable (QueryEntry) -> Void
  ) async throws -> QueryAnswer {
    QueryAnswer()
  }
}
