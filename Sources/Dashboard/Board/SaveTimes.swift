import Events

/// How long it took from a save to the image, cycle by cycle.
package struct SaveTimes: Sendable {
  /// So many are kept.
  static let limit = 200

  package struct Dot: Equatable, Encodable, Sendable {
    package var cycle: Int
    package var ms: Int
    /// RFC 3339.
    package var at: String
    /// The first path.
    package var change: String?
    package var images: Int
    package var cold: CycleLanes.Cold?
    /// Whether it followed a save, and so counts for median and p95.
    package var isSave: Bool
  }

  package struct Shown: Equatable, Encodable, Sendable {
    package var dots: [Dot]
    package var median: Int?
    package var p95: Int?
  }

  private var dots: [Dot] = []

  /// Takes a cycle that has ended. Only one that ended well tells how long it takes.
  mutating func add(_ lanes: CycleLanes) {
    guard lanes.status == "ok", let ms = lanes.totalMs, lanes.imageCount > 0 else { return }
    let isSave = lanes.cause == "change"
    guard isSave || lanes.cold != nil else { return }
    dots.append(
      Dot(
        cycle: lanes.number, ms: ms, at: lanes.start, change: lanes.changes.first,
        images: lanes.imageCount, cold: lanes.cold, isSave: isSave))
    if dots.count > Self.limit { dots.removeFirst(dots.count - Self.limit) }
  }

  var shown: Shown {
    let times = dots.filter(\.isSave).map(\.ms).sorted()
    return Shown(
      dots: dots, median: Self.percentile(50, of: times), p95: Self.percentile(95, of: times))
  }

  /// By the nearest rank: always a time that was measured.
  static func percentile(_ percent: Int, of sorted: [Int]) -> Int? {
    guard !sorted.isEmpty else { return nil }
    let rank = (sorted.count * percent + 99) / 100
    return sorted[max(rank, 1) - 1]
  }
}
