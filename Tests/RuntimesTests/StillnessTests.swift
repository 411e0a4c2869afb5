import TestSupport
import Testing

@testable import Images
@testable import Runtimes

@Suite struct StillnessTests {
  private typealias Count = LoadProgress.Count

  /// The verdicts of looks at which nothing has moved, up to the one that ends it.
  private func verdicts(
    _ count: LoadProgress.Count, factor: Int = 1, isAlive: Bool
  ) -> [Stillness.Verdict] {
    var stillness = Stillness(factor: factor)
    var verdicts = [stillness.look(at: count)]
    while let last = verdicts.last, last == .wait || last == .ask {
      if last == .ask { stillness.answered(isAlive) }
      verdicts.append(stillness.look(at: count))
    }
    return verdicts
  }

  @Test func `one that is silent for a minute is asked, and given up when it does not answer`() {
    let verdicts = verdicts(Count(sent: 10, total: 100), isAlive: false)
    #expect(verdicts.prefix(12).allSatisfy { $0 == .wait })
    #expect(verdicts.dropFirst(12) == [.ask, .ask, .endOfSilence])
  }

  @Test(arguments: [
    (Count(sent: 10, total: 100), 24), (Count(sent: 100, total: 100), 24),
    (Count(sent: 2_000_000_000, total: 2_000_000_000), 124), (Count(), 24),
  ])
  func `one that answers is waited for as long as it may be at work`(
    count: LoadProgress.Count, looks: Int
  ) {
    let verdicts = verdicts(count, isAlive: true)
    #expect(verdicts.last == .endOfPatience)
    #expect(verdicts.count == looks + 1)
    #expect(self.verdicts(count, factor: 4, isAlive: true).count == 4 * looks + 1)
  }

  @Test func `whatever moves, either way, begins the wait anew`() {
    var stillness = Stillness()
    var count = Count(sent: 100, total: 100)
    for _ in 0..<13 { _ = stillness.look(at: count) }
    stillness.answered(false)
    count.received = 1
    #expect(stillness.look(at: count) == .wait)
    #expect(stillness.duration == .zero)
    for _ in 0..<11 { #expect(stillness.look(at: count) == .wait) }
    #expect(stillness.look(at: count) == .ask)
  }

  @Test func `a patience that was too short is doubled, up to a bound, until it was enough`() {
    let patience = LoadPatience()
    for factor in [2, 4, 8, 16, 16] {
      patience.wasTooShort()
      #expect(patience.factor == factor)
    }
    patience.wasEnough()
    #expect(patience.factor == 1)
  }

  /// A load that never ends by itself, watched while time passes.
  private func watched(
    _ patience: LoadPatience = LoadPatience(), isAlive: Bool
  ) async -> (silence: Silence?, waited: Duration) {
    let clock = ManualClock()
    let movement = LoadProgress()
    movement.begin(100, layers: 1)
    let watching = Task {
      try await Silence.watching(movement, patience, clock: clock, isAlive: { isAlive }) {
        for await _ in AsyncStream<Never>.makeStream().stream {}
      }
    }
    let ticking = Task {
      while !Task.isCancelled {
        clock.advance(by: .seconds(1))
        await Task.yield()
      }
    }
    let result = await watching.result
    ticking.cancel()
    guard case .failure(let error) = result else { return (nil, clock.now.offset) }
    return (error as? Silence, clock.now.offset)
  }

  @Test func `a load that nobody answers any more is ended`() async {
    let (silence, waited) = await watched(isAlive: false)
    #expect(silence?.isAlive == false)
    #expect(silence?.waited == .seconds(70))
    #expect(waited >= .seconds(70))
  }

  @Test func `a load that takes much too long is ended, and waited for longer the next time`() async
  {
    let patience = LoadPatience()
    let (silence, _) = await watched(patience, isAlive: true)
    #expect(silence?.isAlive == true)
    #expect(silence?.waited == .seconds(120))
    #expect(patience.factor == 2)
    #expect(await watched(patience, isAlive: true).silence?.waited == .seconds(240))
  }

  @Test func `a question that is not answered in time is ended`() async throws {
    let clock = ManualClock()
    let asking = Task {
      try await Silence.limiting(to: .seconds(60), clock: clock) {
        for await _ in AsyncStream<Never>.makeStream().stream {}
        try Task.checkCancellation()
      }
    }
    await clock.waitForSleepers()
    clock.advance(by: .seconds(60))
    await #expect(throws: Silence(waited: .seconds(60))) { try await asking.value }
  }
}
