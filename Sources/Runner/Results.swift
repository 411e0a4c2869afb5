import Events

/// The last that was told of each image, and the mistakes of each cycle that may be asked for.
struct Results: Sendable {
  /// The result of one image.
  struct Entry: Sendable {
    var cycle: Int
    /// Seconds since 1970.
    var time: Double
    /// The latest for each runtime, or the one that is of none.
    var events: [Event.ImageChanged]
  }

  /// So many mistakes of a cycle are kept.
  private static let mostDiagnostics = 500

  private var latest: [String: Entry] = [:]
  private var loaded: [String: Entry] = [:]
  private var diagnostics: [Int: [Event.Diagnosed]] = [:]

  /// The latest result of an image.
  func latest(of image: String) -> Entry? { latest[image] }

  /// The latest result that runtimes took.
  func loaded(of image: String) -> Entry? { loaded[image] }

  mutating func add(_ event: Event.ImageChanged, in cycle: Int, at time: Double) {
    Self.add(event, to: &latest, in: cycle, at: time)
    if [.loaded, .unchanged, .live].contains(event.status) {
      Self.add(event, to: &loaded, in: cycle, at: time)
    }
  }

  private static func add(
    _ event: Event.ImageChanged, to entries: inout [String: Entry], in cycle: Int, at time: Double
  ) {
    var entry = entries[event.image] ?? Entry(cycle: cycle, time: time, events: [])
    // What a runtime made of an image says more than that it was built.
    if entry.cycle != cycle || event.status == .built { entry.events = [] }
    entry.events.removeAll { $0.runtime == event.runtime || $0.status == .built }
    entry.events.append(event)
    (entry.cycle, entry.time) = (cycle, time)
    entries[event.image] = entry
  }

  /// A mistake that the query and the build both told counts once.
  mutating func add(_ diagnostic: Event.Diagnosed, in cycle: Int) {
    let known = diagnostics[cycle, default: []]
    guard known.count < Self.mostDiagnostics, !known.contains(where: { $0.isSame(diagnostic) })
    else { return }
    diagnostics[cycle, default: []].append(diagnostic)
  }

  /// The mistakes of a cycle that hold up these images, or that are of no image alone.
  func diagnostics(in cycle: Int, of images: Set<String>) -> [Event.Diagnosed] {
    diagnostics[cycle, default: []].filter { $0.image.map(images.contains) ?? true }
  }

  /// Forgets all other images, and the mistakes of all other cycles.
  mutating func keep(_ images: Set<String>, cycles: Set<Int>) {
    latest = latest.filter { images.contains($0.key) }
    loaded = loaded.filter { images.contains($0.key) }
    diagnostics = diagnostics.filter { cycles.contains($0.key) }
  }
}

extension Event.Diagnosed {
  /// Tells whether another says the same of the same place and image.
  fileprivate func isSame(_ other: Event.Diagnosed) -> Bool {
    file == other.file && line == other.line && column == other.column
      && severity == other.severity && message == other.message && image == other.image
  }
}
