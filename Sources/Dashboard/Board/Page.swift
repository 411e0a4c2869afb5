import Events

/// Everything that the page shows at one moment: a value.
package struct Page: Equatable, Sendable {
  /// The facts of a run that do not change.
  package struct Run: Equatable, Encodable, Sendable {
    var version: String
    var workspace: String
    var process: Int32
    var started: String
    var trigger: String
  }

  /// What is being done.
  package struct Work: Equatable, Encodable, Sendable {
    package struct Running: Equatable, Encodable, Sendable {
      var what: String
      var ms: Int
    }

    var phase: String
    var done: Int
    var total: Int
    var running: [Running]
    var queued: [String]
    var elapsedMs: Int
    var usualMs: Int?

    init(_ activity: Event.Activity) {
      phase = activity.phase.rawValue
      (done, total) = (activity.done, activity.total)
      running = activity.running.map { Running(what: $0.what, ms: $0.ms) }
      queued = activity.queued
      (elapsedMs, usualMs) = (activity.elapsedMs, activity.usualMs)
    }
  }

  package var run: Run
  package var headline: Headline
  package var work: Work?
  package var tiles: [Tile]
  /// The latest, in their order.
  package var cycles: [CycleLanes]
  package var saves: SaveTimes.Shown
  package var errors: [OpenError]
  package var health: Health
  package var bytes: SentBytes
}

/// What a browser is told that has seen an earlier page: only what differs.
package struct PageChanges: Encodable, Sendable {
  /// Nothing of an earlier page holds.
  var whole: Bool
  var run: Page.Run?
  var headline: Headline?
  /// Told with every change, so that `null` can say that nothing is being done.
  var work: Page.Work?
  /// Names of all, in their order, where one has come or gone.
  var order: [String]?
  var tiles: [Tile]?
  /// Numbers of all, where one has come or gone.
  var cycleOrder: [Int]?
  var cycles: [CycleLanes]?
  var saves: SaveTimes.Shown?
  var errors: [OpenError]?
  var health: Health?
  var bytes: SentBytes?

  /// - Parameter old: What the browser has seen; `nil`: nothing.
  /// - Returns: `nil` where nothing differs.
  package init?(from old: Page?, to new: Page) {
    guard old != new else { return nil }
    func changed<Value: Equatable>(_ value: (Page) -> Value) -> Value? {
      old.map(value) == value(new) ? nil : value(new)
    }
    whole = old == nil
    run = changed(\.run)
    headline = changed(\.headline)
    work = new.work
    order = changed { $0.tiles.map(\.name) }
    let seenTiles = Dictionary((old?.tiles ?? []).map { ($0.name, $0) }) { first, _ in first }
    let tiles = new.tiles.filter { seenTiles[$0.name] != $0 }
    self.tiles = tiles.isEmpty ? nil : tiles
    cycleOrder = changed { $0.cycles.map(\.number) }
    let seenCycles = Dictionary((old?.cycles ?? []).map { ($0.number, $0) }) { first, _ in first }
    let cycles = new.cycles.filter { seenCycles[$0.number] != $0 }
    self.cycles = cycles.isEmpty ? nil : cycles
    saves = changed(\.saves)
    errors = changed(\.errors)
    health = changed(\.health)
    bytes = changed(\.bytes)
  }
}
