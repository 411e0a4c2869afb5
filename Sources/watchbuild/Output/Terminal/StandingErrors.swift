import Basics
import Bazel
import Events
import FoundationEssentials

/// Remembers which images are broken, since when and why: a value that follows the events.
struct StandingErrors: Sendable {
  struct Broken: Sendable {
    var since: Date
    /// Compiler errors that hold it up; 0 where something else does.
    var errors: Int
  }

  /// What went wrong, once a cause.
  struct Cause: Hashable, Sendable {
    /// `path:line:column` where a compiler names a place.
    var place: String?
    /// The path and line of the place, for a link.
    var file: String?
    var text: String
    /// The rule whose action failed.
    var target: String?
    /// The images that it holds up; those that are known.
    var images: [String]
    /// So many more errors of the same action are not told.
    var omitted = 0
  }

  private(set) var broken: [String: Broken] = [:]
  /// The causes of the latest cycle that failed.
  private(set) var causes: [Cause] = []
  private var cycle = OpenCycle()

  private struct OpenCycle {
    var diagnostics: [Event.Diagnosed] = []
    var failed: [(image: Event.ImageChanged, time: Date)] = []
    var good: Set<String> = []
  }

  /// To be given every event, in order.
  mutating func add(_ event: Event) {
    switch event.kind {
    case .batch: cycle = OpenCycle()
    case .diagnostic(let diagnostic) where diagnostic.severity == .error:
      cycle.diagnostics.append(diagnostic)
    case .image(let image):
      switch image.status {
      case .failed: cycle.failed.append((image, event.time))
      case .built, .unchanged, .loaded, .live: cycle.good.insert(image.image)
      case .cancelled: break
      }
    case .images(let changed):
      for image in changed.removed { broken[image.name] = nil }
    case .cycle(let ended): if ended.status != .cancelled { end() }
    default: break
    }
  }

  private mutating func end() {
    let bad = Set(cycle.failed.map(\.image.image))
    for image in cycle.good.subtracting(bad) { broken[image] = nil }
    // What failed together stands together, also where a second has passed in between.
    let first = cycle.failed.map(\.time).min()
    for (image, time) in cycle.failed {
      let errors = cycle.diagnostics.count { $0.holdsUp(image.image) && !isSummary($0) }
      broken[image.image] = Broken(
        since: broken[image.image]?.since ?? first ?? time, errors: errors)
    }
    let causes = causesOfCycle
    if !causes.isEmpty { self.causes = causes }
    cycle = OpenCycle()
  }

  /// Bazel's own sentence on an action of which a compiler told more: `… failed: (Exit 1): cc failed`.
  private func isSummary(_ diagnostic: Event.Diagnosed) -> Bool {
    diagnostic.message.contains(" failed: (Exit ")
      && cycle.diagnostics.contains {
        $0.target == diagnostic.target && !$0.message.contains(" failed: (Exit ")
      }
  }

  /// The causes that the cycle under way has met so far.
  var causesOfCycle: [Cause] {
    var causes: [Cause] = []
    for diagnostic in cycle.diagnostics where !isSummary(diagnostic) {
      let column = diagnostic.column.map { ":\($0)" } ?? ""
      let cause = Cause(
        place: "\(diagnostic.file):\(diagnostic.line)\(column)",
        file: diagnostic.file, text: diagnostic.message, target: diagnostic.target,
        images: diagnostic.images ?? [diagnostic.image].compactMap(\.self),
        omitted: diagnostic.omitted ?? 0)
      if !causes.contains(where: { $0.place == cause.place && $0.text == cause.text }) {
        causes.append(cause)
      }
    }
    // An image that a compiler's error holds up has its cause already; others tell their own.
    for (image, _) in cycle.failed
    where image.step != nil && image.step != "build"
      || !cycle.diagnostics.contains(where: { $0.holdsUp(image.image) })
    {
      let text = image.error ?? "no reason given"
      if let known = causes.firstIndex(where: { $0.place == nil && $0.text == text }) {
        if !causes[known].images.contains(image.image) { causes[known].images.append(image.image) }
      } else {
        causes.append(
          Cause(place: nil, file: nil, text: text, target: nil, images: [image.image]))
      }
    }
    return causes
  }
}

extension Event.Diagnosed {
  fileprivate func holdsUp(_ name: String) -> Bool {
    image == name || images?.contains(name) == true || (image == nil && images == nil)
  }
}
