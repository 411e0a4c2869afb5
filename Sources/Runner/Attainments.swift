import Batching

/// Keeps how far each image has got, as of which moment, and as of which it failed.
///
/// A stage that is reached in a cycle counts for every debt from before that cycle's builds, and for no later one.
struct Attainments: Sendable {
  struct Failure: Hashable, Sendable {
    /// The cycle built what the files gave then, or later.
    var moment: PendingImages.Moment
    var cycle: Int
    /// How often in a row it was no fault of the image: Bazel's server was killed, or the like. Another try follows by
    /// itself.
    var troubles: Int
  }

  private var reached: [String: [Stage: PendingImages.Moment]] = [:]
  private var failures: [String: Failure] = [:]

  /// An image has reached a stage, and so all before it.
  mutating func reach(_ stage: Stage, _ image: String, asOf moment: PendingImages.Moment) {
    for earlier in Stage.allCases where earlier <= stage {
      let known = reached[image]?[earlier]
      reached[image, default: [:]][earlier] = known.map { max($0, moment) } ?? moment
    }
  }

  mutating func fail(
    _ image: String, asOf moment: PendingImages.Moment, in cycle: Int, isOwnFault: Bool = true
  ) {
    let troubles = isOwnFault ? 0 : 1 + (failures[image]?.troubles ?? 0)
    failures[image] = Failure(moment: moment, cycle: cycle, troubles: troubles)
  }

  /// The image is what the files give: no earlier failure counts any more.
  mutating func recover(_ image: String) { failures[image] = nil }

  /// Tells whether an image has got so far with what was owed at a moment.
  func hasReached(_ stage: Stage, _ image: String, owedAt debt: PendingImages.Moment) -> Bool {
    reached[image]?[stage].map { $0 >= debt } ?? false
  }

  /// The failure that answers a debt; trouble that may well pass with the next try is no answer yet.
  func failure(of image: String, owedAt debt: PendingImages.Moment) -> Failure? {
    failures[image].flatMap { $0.moment >= debt && $0.troubles != 1 ? $0 : nil }
  }

  /// Cycles whose mistakes may still be asked for.
  var failedCycles: Set<Int> { Set(failures.values.map(\.cycle)) }

  /// Forgets all other images.
  mutating func keep(_ images: Set<String>) {
    reached = reached.filter { images.contains($0.key) }
    failures = failures.filter { images.contains($0.key) }
  }
}
