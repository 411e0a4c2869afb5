package import Events
package import Session

/// Follows the events of a run, and makes the page of them: a value.
package struct BoardState: Sendable {
  /// So many of the latest cycles are shown.
  static let cycleLimit = 20

  private var started: Event.Started?
  private var watching: Event.Watching?
  private var underway = WorkUnderway()
  private var builder: LaneBuilder?
  private var cycles: [CycleLanes] = []
  private var saves = SaveTimes()
  private var errors = OpenErrors()
  private var bytes = SentBytes()
  private var server = "cold"
  private var lostServer = false
  private var isStopping = false
  /// Why the latest load into a runtime failed.
  private var troubles: [String: String] = [:]

  package init() {}

  // MARK: What happens

  /// To be given every event, in order.
  package mutating func add(_ event: Event) {
    underway.add(event)
    errors.add(event)
    bytes.add(event)
    switch event.kind {
    case .started(let told): started = told
    case .watching(let told): watching = told
    case .stopping: isStopping = true
    case .batch(let batch):
      builder = LaneBuilder(batch, of: event)
      lostServer = false
    case .cacheDiscarded(let discarded): lostServer = discarded.option == "server"
    case .image(let image): add(image)
    case .missed:
      // A missed event may have ended the cycle. The loop's own status stays true.
      builder = nil
    default: break
    }
    builder?.add(event)
    if case .cycle(let ended) = event.kind {
      if ended.bazelCommands > 0 { server = lostServer ? "restarted" : "warm" }
      finishCycle()
    }
  }

  private mutating func add(_ image: Event.ImageChanged) {
    guard let runtime = image.runtime else { return }
    switch image.status {
    case .failed: troubles[runtime] = image.error ?? "a load failed"
    case .loaded, .unchanged: troubles[runtime] = nil
    case .built, .live, .cancelled: break
    }
  }

  private mutating func finishCycle() {
    guard let lanes = builder?.result else { return }
    builder = nil
    cycles.append(lanes)
    saves.add(lanes)
    if cycles.count > Self.cycleLimit { cycles.removeFirst(cycles.count - Self.cycleLimit) }
  }

  // MARK: What is shown

  /// - Parameters:
  ///   - status: As the loop has it.
  ///   - surroundings: As they were looked at last.
  package func page(_ status: StatusReport, _ surroundings: Surroundings) -> Page {
    let tiles = tiles(status)
    return Page(
      run: Page.Run(
        version: status.versions.watchbuild, workspace: status.workspace, process: status.pid,
        started: status.started, trigger: status.trigger),
      headline: headline(status, tiles), work: underway.activity.map(Page.Work.init), tiles: tiles,
      cycles: cycles + (builder.map { [$0.result] } ?? []), saves: saves.shown,
      errors: errors.shown, health: health(status, surroundings), bytes: bytes)
  }

  private func tiles(_ status: StatusReport) -> [Tile] {
    guard !status.images.isEmpty else {
      return (started?.images ?? []).map { Tile(name: $0.name, target: $0.target, ref: $0.ref) }
    }
    return status.images.map { Tile($0, work: underway.images[$0.name]) }
  }

  private func headline(_ status: StatusReport, _ tiles: [Tile]) -> Headline {
    var facts = Headline.Facts()
    facts.isStopping = isStopping
    facts.isStarted = !status.images.isEmpty
    facts.isPaused = status.paused
    facts.isManual = status.trigger == "manual"
    facts.waitingChanges = status.waitingChanges
    facts.underway = underway.cycle == nil ? nil : underway.count
    facts.phase = underway.activity?.phase.rawValue
    facts.total = tiles.count
    facts.current = tiles.count { $0.state == .current }
    // An image that is being made again counts as neither owed nor failed.
    facts.owed = tiles.filter { $0.state == .owed || $0.state == .held }.map(\.name)
    let loads = Set(status.retries.filter { $0.what == "load" }.flatMap(\.images))
    facts.failed = tiles.filter { $0.state == .failed && !loads.contains($0.name) }.map(\.name)
    facts.failingRuntimes = status.retries.filter { $0.what == "load" }.compactMap(\.runtime)
      .sorted()
    facts.otherErrors = errors.shown.count { $0.severity == "error" && $0.images.isEmpty }
    return Headline(facts)
  }

  private func health(_ status: StatusReport, _ surroundings: Surroundings) -> Health {
    let retries = Dictionary(
      status.retries.compactMap { retry in retry.runtime.map { ($0, retry.time) } }
    ) { first, _ in first }
    return Health(
      server: server,
      lock: status.lock.map {
        Health.Lock(
          process: $0.holder?.pid, command: $0.holder?.command, waitedMs: $0.waitedMs)
      },
      watches: watching.map {
        Health.Watches(
          directories: $0.directories, limit: $0.trigger == "poll" ? nil : surroundings.watchLimit,
          trigger: $0.trigger, degraded: $0.degraded)
      },
      runtimes: (started?.runtimes ?? []).map { name in
        Health.Runtime(
          name: name, trouble: retries[name] == nil ? nil : troubles[name] ?? "a load failed",
          retry: retries[name] ?? nil)
      },
      disks: surroundings.disks, degraded: status.degraded, paused: status.paused,
      waitingChanges: status.waitingChanges)
  }
}
