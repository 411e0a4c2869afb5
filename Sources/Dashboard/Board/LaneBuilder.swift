import Bazel
import Events
import FoundationEssentials

/// Makes lanes of the events of one cycle.
struct LaneBuilder: Sendable {
  /// So many lanes of images are shown of a cycle.
  static let laneLimit = 60

  private let start: Date
  private var lanes: CycleLanes
  private var cycleSpans: [CycleLanes.Span] = []
  private var bazelSpans: [CycleLanes.Span] = []
  private var images: [String: [CycleLanes.Span]] = [:]
  private var order: [String] = []
  /// When the build of an image began.
  private var builds: [String: Int] = [:]
  private var latestBuild: Int?
  private var lockEnd: Int?

  /// - Parameter batch: The event that the cycle began with.
  init(_ batch: Event.BatchClosed, of event: Event) {
    start = event.time.addingTimeInterval(-Double(batch.windowMs) / 1000)
    lanes = CycleLanes(
      number: event.cycle ?? 0, cause: batch.cause,
      changes: batch.changes.prefix(10).map(\.path), changeCount: batch.changeCount,
      imageCount: batch.images.count, status: "running",
      start: start.formatted(.event),
      ok: 0, failed: 0, shared: [], images: [], hidden: 0)
    if batch.windowMs > 0 {
      cycleSpans = [.init(name: "window", kind: "window", from: 0, to: batch.windowMs)]
    }
  }

  mutating func add(_ event: Event) {
    let now = max(0, Int((event.time.timeIntervalSince(start) * 1000).rounded()))
    switch event.kind {
    case .index(let index):
      cycleSpans.append(.init(name: "graph", kind: "index", from: max(0, now - index.ms), to: now))
    case .hook(let hook):
      cycleSpans.append(
        .init(
          name: hook.command.first ?? "hook", kind: "hook", from: max(0, now - hook.ms), to: now,
          failed: hook.exitCode != 0))
    case .build(let build):
      closeBazel(at: now)
      bazelSpans.append(.init(name: "bazel build", kind: "bazel", from: now))
      latestBuild = now
      for image in build.images { builds[image] = now }
    case .lock(let lock):
      cycleSpans.removeAll { $0.kind == "lock" }
      cycleSpans.append(
        .init(name: "lock", kind: "lock", from: max(0, now - lock.waitedMs), to: now))
      lockEnd = now
    case .cacheDiscarded(let discarded):
      lanes.cold = .init(
        option: discarded.option, cause: discarded.cause, message: discarded.message)
    case .image(let image): add(image, at: now)
    case .rollout(let rollout):
      guard rollout.status != .started, let ms = rollout.ms else { break }
      add(
        .init(
          name: rollout.target, kind: "rollout", from: max(0, now - ms), to: now,
          failed: rollout.status == .failed), to: rollout.image)
    case .cycle(let ended): end(ended, at: now)
    default: break
    }
  }

  private mutating func add(_ image: Event.ImageChanged, at now: Int) {
    switch (image.status, image.step) {
    case (.built, _), (.failed, "build"), (.failed, nil):
      let began = builds[image.image] ?? latestBuild ?? now
      add(
        .init(
          name: "build", kind: "build", from: max(began, lockEnd ?? 0), to: now,
          failed: image.status == .failed), to: image.image)
    case (.loaded, _), (.unchanged, _), (.failed, "load"):
      guard let runtime = image.runtime else { break }
      let name = image.status == .unchanged ? "\(runtime), unchanged" : runtime
      add(
        .init(
          name: name, kind: "load", from: max(0, now - (image.ms ?? 0)), to: now,
          failed: image.status == .failed), to: image.image)
    default: break
    }
  }

  private mutating func add(_ span: CycleLanes.Span, to image: String) {
    if images[image] == nil { order.append(image) }
    images[image, default: []].append(span)
  }

  private mutating func end(_ ended: Event.CycleEnded, at now: Int) {
    closeBazel(at: now)
    lanes.status = ended.status.rawValue
    (lanes.ok, lanes.failed) = (ended.ok, ended.failed)
    lanes.totalMs = ended.timings.totalMs
    lanes.cold?.costMs = ended.cacheCostMs
    if let first = bazelSpans.first {
      // Of several builds the phases are added up.
      let start = max(first.from, lockEnd ?? 0)
      if bazelSpans.count == 1 {
        bazelSpans[0].from = start
        bazelSpans[0].to = min(start + max(ended.timings.bazelMs, 1), now)
      }
      if let phases = ended.phases { bazelSpans += Self.spans(of: phases, from: start) }
    }
  }

  private mutating func closeBazel(at now: Int) {
    if let last = bazelSpans.indices.last, bazelSpans[last].to == nil { bazelSpans[last].to = now }
  }

  private static func spans(of phases: BazelPhases, from start: Int) -> [CycleLanes.Span] {
    var spans: [CycleLanes.Span] = []
    var time = start
    for (name, ms) in [
      ("launch", phases.launchMs), ("init", phases.initMs), ("patterns", phases.patternsMs),
      ("analysis", phases.analysisMs), ("preparation", phases.preparationMs),
      ("execution", phases.executionMs), ("finish", phases.finishMs),
    ] where ms > 0 {
      spans.append(.init(name: name, kind: name, from: time, to: time + ms))
      time += ms
    }
    return spans
  }

  /// The lanes as far as the events go.
  var result: CycleLanes {
    var result = lanes
    result.shared = [
      CycleLanes.Lane(name: "cycle", spans: cycleSpans),
      CycleLanes.Lane(name: "bazel", spans: bazelSpans.filter { $0.kind == "bazel" }),
      CycleLanes.Lane(name: "phases", spans: bazelSpans.filter { $0.kind != "bazel" }),
    ].filter { !$0.spans.isEmpty }
    var all = order.map { CycleLanes.Lane(name: $0, spans: images[$0] ?? []) }
    if all.count > Self.laneLimit {
      // The longest are those that a person looks for; they stay in their order.
      let longest = Set(
        all.sorted { Self.length($0) > Self.length($1) }.prefix(Self.laneLimit).map(\.name))
      result.hidden = all.count - longest.count
      all = all.filter { longest.contains($0.name) }
    }
    result.images = all
    return result
  }

  private static func length(_ lane: CycleLanes.Lane) -> Int {
    lane.spans.reduce(0) { $0 + ($1.to ?? $1.from) - $1.from }
  }
}
