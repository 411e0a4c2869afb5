import Batching
import Graph
import Logging
import Watcher

/// What the loop was told and what it decided, for reports of saves that did nothing.
struct LoopLog: Sendable {
  /// So many paths of a batch are told.
  private static let mostPaths = 20

  private let logger = Logger(label: "loop")

  /// A batch closed: each path with what happened to it, whether Bazel ran, and whom it affects by the index.
  func tell(_ batch: Batch, affecting backlog: @autoclosure () -> Backlog) {
    guard logger.logLevel <= .debug else { return }
    let backlog = backlog()
    logger.debug(
      "batch closed",
      metadata: [
        "cause": "\(batch.cause)", "changes": "\(batch.changes.count)",
        "requested": "\(batch.requested.sorted())", "everything": "\(batch.affectsEverything)",
        "window": "\(batch.window)",
      ])
    let isBazelsOwn = backlog.bazelsOwn
    for change in batch.changes.prefix(Self.mostPaths) {
      let looks = batch.sightings.filter { $0.path == change.path }
      logger.debug(
        "changed",
        metadata: [
          "path": "\(change.path)", "kind": "\(change.kind)",
          "looks": "\(looks.count)", "whileBazelRan": "\(looks.contains(where: \.isDuringCommand))",
          "affects": "\(backlog.images(affectedBy: change.path).sorted())",
          "isBazelsOwn": "\(isBazelsOwn(change.path))",
        ])
    }
  }

  func tell(_ action: LoopState.Action) {
    switch action {
    case .interrupt: logger.debug("interrupts the build")
    case .outdate(let images):
      logger.debug("outdates loads", metadata: ["images": "\(images.sorted())"])
    case .read(let reading):
      logger.debug("reads first", metadata: ["what": "\(reading.names)"])
    case .start(let start):
      logger.debug(
        "starts a cycle",
        metadata: [
          "cycle": "\(start.number)", "cause": "\(start.batch.cause)",
          "owed": "\(start.owed.sorted())", "madeAgain": "\(start.halfSeen)",
        ])
    case .tellReady: logger.debug("is ready")
    case .tellUnaffected(let batch):
      logger.debug("builds nothing", metadata: ["changes": "\(batch.changes.count)"])
    case .tellSelfWritten(let files):
      logger.debug("builds no more for what the build writes", metadata: ["files": "\(files)"])
    case .tellPaused: logger.debug("holds builds")
    case .tellResumed: logger.debug("holds builds no longer")
    case .answer(let id, _): logger.debug("answers", metadata: ["request": "\(id)"])
    case .retry(let lane, let wait):
      logger.debug("tries again later", metadata: ["lane": "\(lane)", "after": "\(wait)"])
    }
  }

  func tell(_ outcome: CycleOutcome) {
    logger.debug(
      "a cycle ended",
      metadata: [
        "current": "\(outcome.current.sorted())", "failed": "\(outcome.failedBuilds.sorted())",
        "troubled": "\(outcome.troubled.sorted())", "notLoaded": "\(outcome.failedLoads)",
        "notLive": "\(outcome.failedRollouts.mapValues(\.target))",
        "heldUp": "\(outcome.heldUp.sorted())", "interrupted": "\(outcome.isInterrupted)",
        "newIndexes": "\(outcome.indexes.count)",
      ])
  }
}

extension Reading {
  fileprivate var names: [String] {
    [(Reading.configuration, "configuration"), (.images, "images"), (.ignored, ".bazelignore")]
      .filter { contains($0.0) }.map(\.1)
  }
}
