import Basics
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct InterruptionTests {
  @Test func `work that is not interrupted gives its result, one after the other`() async throws {
    let interruption = Interruption()
    #expect(try await interruption.run { 1 } == 1)
    #expect(try await interruption.run { 2 } == 2)
    #expect(!interruption.isInterrupted)
  }

  @Test func `an interruption cancels the work and waits for its end`() async throws {
    let interruption = Interruption()
    let clock = ManualClock()
    async let result = interruption.run {
      try await clock.pause(for: .seconds(1))
      return 1
    }
    await clock.waitForSleepers()
    interruption.interrupt()
    #expect(try await result == nil)
  }

  @Test func `work after an interruption is interrupted`() async throws {
    let interruption = Interruption()
    interruption.interrupt()
    let clock = ManualClock()
    let result = try await interruption.run {
      try await clock.pause(for: .seconds(1))
      return 1
    }
    #expect(result == nil)
  }

  @Test func `an error of the work is passed on`() async throws {
    struct Broken: Error {}
    await #expect(throws: Broken.self) {
      _ = try await Interruption().run { () throws -> Int in throw Broken() }
    }
  }

  @Test func `cancelling the task is no interruption`() async throws {
    let clock = ManualClock()
    let task = Task {
      try await Interruption().run {
        try await clock.pause(for: .seconds(1))
        return 1
      }
    }
    await clock.waitForSleepers()
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
  }
}
