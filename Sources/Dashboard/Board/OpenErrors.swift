import Bazel
import Events
import FoundationEssentials

/// A mistake that is not mended yet.
package struct OpenError: Equatable, Encodable, Sendable {
  package var id: Int
  /// `error` or `warning`.
  package var severity: String
  package var file: String?
  package var line: Int?
  package var column: Int?
  package var message: String
  package var snippet: String?
  /// The images that it holds up; empty where it is no image's.
  package var images: [String]
  /// RFC 3339: when it was first told.
  package var since: String
  /// The cycle that told it last.
  package var cycle: Int
  /// So many more of the same action are not told.
  package var omitted: Int
  /// Whether all that was printed is kept, for this image.
  package var log: String?
}

/// Which mistakes are not mended yet, and since when: a value fed with events.
///
/// A mistake stands until each of its images has been made without it, or, where it is no image's, until a
/// cycle ends well.
struct OpenErrors: Sendable {
  /// So many are shown.
  static let limit = 100

  private struct Key: Hashable, Sendable {
    var file: String?
    var line: Int?
    var column: Int?
    var message: String
  }

  private var open: [Key: OpenError] = [:]
  private var last = 0

  /// The errors first, then the warnings; each in the order in which they were first told.
  var shown: [OpenError] {
    let all = open.values.sorted {
      ($0.severity == "error" ? 0 : 1, $0.id) < ($1.severity == "error" ? 0 : 1, $1.id)
    }
    return Array(all.prefix(Self.limit))
  }

  mutating func add(_ event: Event) {
    let cycle = event.cycle ?? 0
    switch event.kind {
    case .diagnostic(let told):
      let key = Key(file: told.file, line: told.line, column: told.column, message: told.message)
      tell(key, at: event, severity: told.severity.rawValue) { error in
        error.snippet = told.snippet ?? error.snippet
        error.omitted = told.omitted ?? 0
        for image in told.images ?? [told.image].compactMap(\.self) { error.add(image) }
        if told.log != nil { error.log = told.image ?? told.images?.first ?? error.log }
      }
    case .image(let image):
      switch image.status {
      case .failed: fail(image, at: event)
      case .built: mend(image.image, before: cycle, isWhole: false)
      case .loaded, .unchanged, .live: mend(image.image, before: cycle, isWhole: true)
      case .cancelled: break
      }
    case .cycle(let ended) where ended.status == .ok:
      open = open.filter { !($0.value.images.isEmpty && $0.value.cycle < cycle) }
    case .images(let changed):
      for image in changed.removed { mend(image.name, before: .max, isWhole: true) }
    default: break
    }
  }

  private mutating func tell(
    _ key: Key, at event: Event, severity: String, _ fill: (inout OpenError) -> Void
  ) {
    if open[key] == nil { last += 1 }
    var error =
      open[key]
      ?? OpenError(
        id: last, severity: severity, file: key.file, line: key.line, column: key.column,
        message: key.message, images: [], since: Self.text(event.time), cycle: 0, omitted: 0)
    // What an earlier cycle said of other images is said anew by this one, or is mended.
    error.cycle = event.cycle ?? 0
    fill(&error)
    open[key] = error
  }

  /// An image failed. Where a mistake in a file is the reason, that is told already.
  private mutating func fail(_ image: Event.ImageChanged, at event: Event) {
    let text = image.error ?? "it failed"
    let known = open.first { key, _ in
      guard let file = key.file, let line = key.line else { return false }
      return text.hasPrefix("\(file):\(line): ")
    }
    if let known {
      open[known.key]?.add(image.image)
      if image.log != nil { open[known.key]?.log = known.value.log ?? image.image }
      return
    }
    if open.values.contains(where: {
      $0.cycle == event.cycle && $0.severity == "error" && $0.images.contains(image.image)
    }) {
      return
    }
    let place = image.runtime.map { "\($0): " } ?? ""
    tell(Key(message: place + text), at: event, severity: "error") { error in
      error.add(image.image)
      if image.log != nil { error.log = image.image }
    }
  }

  /// - Parameter isWhole: Loads too went well; else what hindered a load stands.
  private mutating func mend(_ image: String, before cycle: Int, isWhole: Bool) {
    for (key, error) in open where error.cycle < cycle && error.images.contains(image) {
      guard isWhole || key.file != nil else { continue }
      open[key]?.images.removeAll { $0 == image }
      if error.images.count == 1 { open[key] = nil }
    }
  }

  private static func text(_ time: Date) -> String {
    time.formatted(.event)
  }
}

extension OpenError {
  fileprivate mutating func add(_ image: String) {
    if !images.contains(image) { images.append(image) }
  }
}
