import Batching

/// Those who wait to hear that the files of some moment have become images.
///
/// A value: the loop tells it what the images owe, and asks after each signal who can be answered.
struct Waits: Sendable {
  /// A question without an answer yet.
  struct Open: Sendable {
    let id: Int
    let question: Question
    /// The images that the question is about, as far as is known.
    var images: Set<String>
    /// The debt of each when it was asked, or when it turned out to be one of them.
    var debts: [String: PendingImages.Moment]
    /// The graph, or the configuration, is behind the files: there may be more of them, or fewer.
    var isOpenEnded: Bool
  }

  private(set) var open: [Open] = []

  /// - Parameters:
  ///   - id: The request's number.
  ///   - question: What is asked.
  ///   - images: The images that it is about.
  ///   - pending: What is owed now: nothing that was saved before the question is missing in it.
  ///   - isOpenEnded: Which images these are may change until the graph has been asked.
  mutating func add(
    _ id: Int, _ question: Question, about images: Set<String>, owing pending: PendingImages,
    isOpenEnded: Bool
  ) {
    open.append(
      Open(
        id: id, question: question, images: images, debts: pending.debts(of: images),
        isOpenEnded: isOpenEnded))
  }

  /// Takes in what the graph says now.
  ///
  /// - Parameters:
  ///   - pending: What is owed now.
  ///   - isOpenEnded: The graph is still behind.
  ///   - images: The images that a question is about, given those that were known.
  mutating func update(
    owing pending: PendingImages, isOpenEnded: Bool, images: (Open) -> Set<String>
  ) {
    for index in open.indices where open[index].isOpenEnded {
      let found = images(open[index])
      let added = found.subtracting(open[index].images)
      open[index].images = found
      open[index].debts = open[index].debts.filter { found.contains($0.key) }
      open[index].debts.merge(pending.debts(of: added)) { first, _ in first }
      open[index].isOpenEnded = isOpenEnded
    }
  }

  /// Forgets those who wait no longer.
  mutating func forget(_ ids: Set<Int>) { open.removeAll { ids.contains($0.id) } }

  /// Those who can be answered now, each with the images that failed and their cycles.
  mutating func take(
    _ attainments: Attainments, owing pending: PendingImages
  ) -> [(open: Open, failures: [String: Int])] {
    var answered: [(open: Open, failures: [String: Int])] = []
    open.removeAll { open in
      guard !open.isOpenEnded else { return false }
      var failures: [String: Int] = [:]
      for (image, debt) in open.debts where pending.contains(image) {
        if attainments.hasReached(open.question.stage, image, owedAt: debt) { continue }
        guard let failure = attainments.failure(of: image, owedAt: debt) else { return false }
        failures[image] = failure.cycle
      }
      answered.append((open, failures))
      return true
    }
    return answered
  }
}
