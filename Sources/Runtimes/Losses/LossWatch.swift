import Basics
import Images

/// Notices when another hand takes an image of ours away from a runtime.
///
/// Docker and podman tell of whatever happens to their images, which is a reason to look; the
/// others are looked at now and then. A look is one question for all images. Nothing is asked of a
/// runtime that holds nothing of ours.
package struct LossWatch<C: Clock<Duration>>: Sendable {
  private let runtime: any ImageRuntime
  private let held: HeldImages
  private let clock: C

  /// Between two looks, where nothing tells when to look.
  private static var interval: Duration { .seconds(30) }
  /// From an event to the look: many come together.
  private static var quiet: Duration { .milliseconds(300) }

  /// - Parameter held: What the runtimes should hold, kept by the loads.
  package init(_ runtime: any ImageRuntime, held: HeldImages, clock: C) {
    self.runtime = runtime
    self.held = held
    self.clock = clock
  }

  /// Runs until cancelled.
  ///
  /// - Parameter report: Told once of each loss that is to be mended now, by a load; of those that
  ///   one look shows, together.
  package func run(_ report: @escaping @Sendable ([LostImage]) async -> Void) async {
    guard runtime.lossNotice != .never else { return }
    // One wish says as much as many.
    let (wishes, wish) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    await withDiscardingTaskGroup { group in
      group.addTask {
        for await _ in held.news(of: runtime.name) {
          // What came between a load and now is seen by this look, whatever the events were.
          if runtime.lossNotice == .events { wish.yield() }
        }
      }
      group.addTask {
        for await _ in held.news(of: runtime.name) { break }
        if !Task.isCancelled { await followEvents { wish.yield() } }
      }
      var judgement = LossJudgement<C.Instant>()
      for await _ in wishes {
        // Ends early by cancellation only, which ends the wishes, too.
        try? await clock.pause(for: Self.quiet)
        guard let next = await look(&judgement, report) else { continue }
        group.addTask {
          // As above.
          try? await clock.sleep(until: next, tolerance: nil)
          wish.yield()
        }
      }
    }
  }

  /// - Returns: When to look again, at the latest.
  private func look(
    _ judgement: inout LossJudgement<C.Instant>, _ report: @Sendable ([LostImage]) async -> Void
  ) async -> C.Instant? {
    let holdings = held.all(in: runtime.name)
    guard !holdings.isEmpty else { return nil }
    let losses: [ImageReference: ImageLoss]
    do {
      losses = try await runtime.losses(among: holdings.mapValues(\.id))
    } catch {
      // A runtime that does not answer tells nothing of its images; the next look may.
      return nil
    }
    let verdict = judgement.judge(losses.keys, at: clock.now)
    let lost: [LostImage] = verdict.due.compactMap { reference, repetitions in
      guard let holding = holdings[reference], let loss = losses[reference],
        held.take(holding, as: reference, from: runtime.name)
      else { return nil }
      return LostImage(
        image: holding.image, reference: reference, runtime: runtime.name, loss: loss,
        repetitions: repetitions)
    }
    if !lost.isEmpty { await report(lost.sorted { "\($0.reference)" < "\($1.reference)" }) }
    return verdict.next
  }

  /// Wishes for a look whenever there is a reason, until cancelled.
  private func followEvents(_ wish: @escaping @Sendable () -> Void) async {
    var backoff = Backoff()
    while runtime.lossNotice == .events, !Task.isCancelled {
      let start = clock.now
      do {
        try await runtime.followEvents(wish)
      } catch let error as RuntimeError where error.kind == .refused {
        // It has none to tell, and is looked at like the others.
        break
      } catch {
        // It is down, or being started anew: the next connection begins with a look.
      }
      if start.duration(to: clock.now) > Self.interval { backoff.reset() }
      // Ends early by cancellation only.
      try? await clock.pause(for: backoff.next())
    }
    while !Task.isCancelled {
      // As above.
      try? await clock.pause(for: Self.interval)
      wish()
    }
  }
}
