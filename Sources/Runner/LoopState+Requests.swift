import Batching
import Events
import Graph
import SystemPackage
import Watcher

/// Takes requests, and decides when each can be answered.
extension LoopState {
  /// So many may wait at once.
  private static let mostWaits = 1024

  /// Takes in what changes the rules, before the batch that it came with.
  mutating func obey(_ requests: [Request]) -> [Action] {
    requests.flatMap { request -> [Action] in
      switch request.demand {
      case .pause where !isPaused:
        isPaused = true
        return [.tellPaused]
      case .resume where isPaused:
        isPaused = false
        return [.tellResumed]
      default: return []
      }
    }
  }

  /// Takes in what is asked of the state that the batch has left.
  mutating func attend(_ requests: [Request]) -> [Action] {
    requests.compactMap { request in
      switch request.demand {
      case .rebuild: return nil
      case .pause, .resume, .synchronize: return .answer(request.id, .accepted)
      case .trigger(let images, let stage):
        if let unknown = unknown(images) { return .answer(request.id, unknown) }
        guard let stage else { return .answer(request.id, .accepted) }
        return wait(request.id, Question(.images(images), upTo: stage))
      case .wait(let question): return wait(request.id, question)
      }
    }
  }

  /// - Returns: The answer of a question that makes no sense; else it is answered in its time.
  private mutating func wait(_ id: Int, _ question: Question) -> Action? {
    if case .images(let images) = question.subject, let unknown = unknown(images) {
      return .answer(id, unknown)
    }
    let unknown = question.missing.filter { departed[$0] == nil && !backlog.mayKnow($0) }
    guard unknown.isEmpty else {
      return .answer(id, .unknownPaths(unknown.sorted { $0.string < $1.string }))
    }
    guard waits.open.count < Self.mostWaits else { return .answer(id, .refused) }
    waits.add(
      id, question, about: images(of: question), owing: backlog.pending,
      isOpenEnded: isOpenEnded)
    return nil
  }

  private func unknown(_ images: Set<String>) -> Answer? {
    let known = backlog.images.map(\.name)
    let unknown = images.subtracting(known).sorted()
    return unknown.isEmpty ? nil : .unknownImages(unknown, known: known)
  }

  /// Which images the files affect is not settled: the graph is to be asked, or the configuration read.
  private var isOpenEnded: Bool {
    let isNext = waiting.map { isPreliminary($0) } ?? false
    return switch phase {
    case .reading: true
    case .building: backlog.isStale || isNext
    // What is stale although nothing is to be built is asked for with the next build.
    case .idle: waiting != nil && (backlog.isStale || isNext)
    }
  }

  /// A batch asks for the configuration, for which images there are, or for the graph.
  private func isPreliminary(_ batch: Batch) -> Bool {
    !definitions.reading(after: batch).isEmpty || backlog.isStale(after: batch)
  }

  private func images(of question: Question) -> Set<String> {
    let all = Set(backlog.images.map(\.name))
    switch question.subject {
    case .everything: return all
    case .images(let images): return images.isEmpty ? all : images
    case .paths(let paths):
      return paths.reduce(into: []) { found, path in
        if !definitions.reading(path).isEmpty { found = all }
        if question.missing.contains(path) {
          found.formUnion(departed[path] ?? [])
          found.formUnion(backlog.images(touchedBy: path, .deleted))
        } else {
          found.formUnion(backlog.images(touchedBy: path))
        }
      }
    }
  }

  /// Those who can be answered after a signal.
  mutating func answers() -> [Action] {
    guard !waits.open.isEmpty else { return [] }
    let isOpenEnded = isOpenEnded
    let state = self
    waits.update(owing: backlog.pending, isOpenEnded: isOpenEnded) { open in
      let found = state.images(of: open.question)
      // What depended on a file that is gone is not told by the graph of after.
      return open.question.missing.isEmpty || state.backlog.isBlind
        ? found : found.union(open.images.intersection(state.backlog.images.map(\.name)))
    }
    return waits.take(attainments, owing: backlog.pending).map { open, failures in
      .answer(open.id, .verdict(verdict(open, failures)))
    }
  }

  private func verdict(_ open: Waits.Open, _ failures: [String: Int]) -> Verdict {
    let entries = backlog.images.map(\.name).filter(open.images.contains)
      .compactMap(results.latest)
    if !failures.isEmpty {
      let diagnostics = Set(failures.values).sorted().flatMap {
        results.diagnostics(in: $0, of: Set(failures.keys))
      }
      return Verdict(
        .failed, cycle: failures.values.max(), images: entries.flatMap(\.events),
        diagnostics: diagnostics)
    }
    if open.images.isEmpty { return Verdict(.unaffected) }
    return Verdict(.ok, cycle: entries.map(\.cycle).max(), images: entries.flatMap(\.events))
  }

  // MARK: What a cycle tells

  /// An image has got somewhere in the cycle under way, or something was said of it.
  ///
  /// - Parameters:
  ///   - kind: What was told.
  ///   - stage: How far the image has got, where it is one's.
  ///   - time: Seconds since 1970.
  mutating func told(_ kind: Event.Kind, reaching stage: Stage?, at time: Double) {
    guard case .building(let running) = phase else { return }
    let cycle = running.start.number
    switch kind {
    case .image(let event):
      results.add(event, in: cycle, at: time)
      if let stage { attainments.reach(stage, event.image, asOf: running.moment) }
      lockHolder = nil
    case .rollout(let event):
      if let stage { attainments.reach(stage, event.image, asOf: running.moment) }
    case .diagnostic(let diagnostic): results.add(diagnostic, in: cycle)
    case .lock(let lock): lockHolder = lock
    case .build, .index: lockHolder = nil
    default: break
    }
  }

  /// Notes how far each image got in a cycle that has ended.
  mutating func note(_ ended: Running, _ outcome: CycleOutcome) {
    lockHolder = nil
    for image in outcome.current.union(outcome.leftOut) {
      attainments.reach(.live, image, asOf: ended.moment)
      attainments.recover(image)
    }
    for image in outcome.failedLoads.keys {
      attainments.reach(.built, image, asOf: ended.moment)
    }
    for image in outcome.failedRollouts.keys where outcome.failedLoads[image] == nil {
      attainments.reach(.loaded, image, asOf: ended.moment)
    }
    guard !outcome.isInterrupted else { return }
    let changed = backlog.pending.debts(of: outcome.unfinished).filter { $0.value > ended.moment }
    let failed = outcome.failedBuilds.union(outcome.undelivered).union(outcome.troubled)
      .union(outcome.heldUp)
      // Nobody comes back to what a build left out without a change; what has changed is built next.
      .union(outcome.unfinished.subtracting(changed.keys))
    for image in failed {
      attainments.fail(
        image, asOf: ended.moment, in: ended.start.number,
        isOwnFault: !outcome.troubled.contains(image))
    }
    let names = Set(backlog.images.map(\.name))
    attainments.keep(names)
    results.keep(names, cycles: attainments.failedCycles.union([ended.start.number]))
    reasons.note(outcome, results: results, unlessOwedAfter: ended.moment, in: backlog.pending)
  }
}
