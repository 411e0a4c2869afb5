import Basics
import Runtimes
import Testing

@testable import Runner

@Suite struct LifeSignsTests {
  private func state(_ json: [String: JSON], restarts: Int64 = 0) -> ContainerState {
    ContainerState(.object(["State": .object(json), "RestartCount": .integer(restarts)]))
  }

  private var running: ContainerState { state(["Running": .bool(true)]) }

  private func health(_ status: String, _ words: String = "") -> ContainerState {
    state([
      "Running": .bool(true),
      "Health": .object([
        "Status": .string(status), "Log": .array([.object(["Output": .string(words)])]),
      ]),
    ])
  }

  @Test func `without a health check two seconds prove it`() {
    var signs = LifeSigns(timeout: .seconds(60))
    #expect(signs.look(running, at: .milliseconds(100)) == .undecided)
    #expect(signs.look(running, at: .milliseconds(2000)) == .undecided)
    #expect(signs.look(running, at: .milliseconds(2100)) == .live)
  }

  @Test func `a health check decides in either way, however long it runs`() {
    var signs = LifeSigns(timeout: .seconds(60))
    #expect(signs.look(health("starting"), at: .seconds(50)) == .undecided)
    #expect(signs.look(health("healthy"), at: .seconds(51)) == .live)
    var ill = LifeSigns(timeout: .seconds(60))
    #expect(
      ill.look(health("unhealthy", "connection refused\nmore"), at: .seconds(1))
        == .failed("is unhealthy: connection refused"))
    var late = LifeSigns(timeout: .seconds(60))
    #expect(
      late.look(health("starting"), at: .seconds(60))
        == .failed("is not healthy after 60.0 seconds"))
  }

  @Test func `what has ended, or is started again, has failed`() {
    var signs = LifeSigns(timeout: .seconds(60))
    #expect(
      signs.look(state(["Running": .bool(false), "ExitCode": .integer(3)]), at: .zero)
        == .failed("ended (exit 3)"))
    var looping = LifeSigns(timeout: .seconds(60))
    #expect(looping.look(running, at: .zero) == .undecided)
    #expect(
      looping.look(
        state(["Running": .bool(true), "ExitCode": .integer(1)], restarts: 1), at: .seconds(1))
        == .failed("ends again and again (exit 1)"))
    var gone = LifeSigns(timeout: .seconds(60))
    #expect(gone.look(nil, at: .zero) == .failed("ended at once and is gone"))
    var large = LifeSigns(timeout: .seconds(60))
    #expect(
      large.look(state(["Running": .bool(false), "OOMKilled": .bool(true)]), at: .zero)
        == .failed("ended (out of memory)"))
  }

  @Test func `restarts from before are none of the rollout's`() {
    var signs = LifeSigns(timeout: .seconds(60))
    let state = state(["Running": .bool(true)], restarts: 7)
    #expect(signs.look(state, at: .zero) == .undecided)
    #expect(signs.look(state, at: .seconds(2)) == .live)
  }

  @Test func `how it ended is waited for where it was just started again`() {
    func again(_ json: [String: JSON]) -> ContainerState {
      state(json.merging(["Running": .bool(true)]) { $1 }, restarts: 1)
    }
    var signs = LifeSigns(timeout: .seconds(60))
    #expect(signs.look(running, at: .zero) == .undecided)
    #expect(signs.look(again(["ExitCode": .integer(0)]), at: .seconds(1)) == .undecided)
    #expect(
      signs.look(
        again(["Restarting": .bool(true), "ExitCode": .integer(4)]), at: .milliseconds(1200))
        == .failed("ends again and again (exit 4)"))
    var unknown = LifeSigns(timeout: .seconds(60))
    #expect(unknown.look(running, at: .zero) == .undecided)
    #expect(unknown.look(again([:]), at: .seconds(1)) == .undecided)
    #expect(unknown.look(again([:]), at: .seconds(3)) == .failed("ends again and again"))
  }
}
