/// What is owed to each image. Only success clears it, and only what was owed when the build that
/// succeeded began.
package struct PendingImages: Hashable, Sendable {
  /// A moment in the order of debts; taken before a build starts.
  package struct Moment: Hashable, Sendable, Comparable {
    fileprivate var number: Int

    package static func < (first: Moment, second: Moment) -> Bool { first.number < second.number }
  }

  private var latest = 0
  private var debts: [String: Int] = [:]

  package init() {}

  /// Names of the images that are not what the files on disk give.
  package var names: Set<String> { Set(debts.keys) }

  package func contains(_ image: String) -> Bool { debts[image] != nil }

  /// When each of these images that is owed something became so last.
  package func debts(of images: some Sequence<String>) -> [String: Moment] {
    images.reduce(into: [:]) { found, image in
      found[image] = debts[image].map { Moment(number: $0) }
    }
  }

  package mutating func owe(_ images: some Sequence<String>) {
    latest += 1
    for image in images { debts[image] = latest }
  }

  package var now: Moment { Moment(number: latest) }

  /// The image holds what the files on disk gave at `moment`: debts up to then are paid.
  package mutating func settle(_ image: String, asOf moment: Moment) {
    guard let debt = debts[image], debt <= moment.number else { return }
    debts[image] = nil
  }

  /// Forgets images that are no longer configured.
  package mutating func keep(_ images: Set<String>) {
    debts = debts.filter { images.contains($0.key) }
  }
}
