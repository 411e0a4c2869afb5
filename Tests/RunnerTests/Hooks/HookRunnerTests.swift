import Batching
import Events
import FoundationEssentials
import Processes
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Runner

@Suite struct HookRunnerTests {
  private func run(
    _ hooks: [Hook], _ stage: Hook.Stage = .afterLoad, images: Set<String>,
    _ runner: any CommandRunner
  ) async throws -> [HookRunner.Outcome] {
    let outcomes = Mutex<[HookRunner.Outcome]>([])
    try await HookRunner(Hooks([stage: hooks]), in: "/w", runner: runner, clock: ContinuousClock())
      .run(stage, images: images, summary: "1 failed (cart)", cycle: 7) { outcome in
        outcomes.withLock { $0.append(outcome) }
      }
    return outcomes.withLock { $0 }
  }

  @Test func `a hook runs for its images alone, and is told of them`() async throws {
    let runner = ScriptedRunner()
    let outcomes = try await run(
      [
        Hook(["smoke", "{images}"], images: ["cart", "web"]), Hook(["other"], images: ["payments"]),
      ],
      images: ["cart", "catalog"], runner)
    #expect(outcomes.map(\.isGood) == [true])
    let command = try #require(runner.commands.first)
    #expect(command.argv == ["smoke", "cart"])
    #expect(command.directory == "/w")
    #expect(command.environment["WATCHBUILD_IMAGES"] == "cart")
    #expect(command.environment["WATCHBUILD_CYCLE"] == "7")
  }

  @Test func `a summary stays one argument`() async throws {
    let runner = ScriptedRunner()
    _ = try await run([Hook(["notify", "{summary}"])], .onFailure, images: ["cart"], runner)
    #expect(runner.commands.first?.argv == ["notify", "1 failed (cart)"])
  }

  @Test func `one that fails is told with its last words, and the next runs`() async throws {
    let runner = ScriptedRunner { command, output in
      output(.standardError(Array("no answer\n".utf8)))
      return .exited(command.executable == "bad" ? 3 : 0)
    }
    let outcomes = try await run([Hook(["bad"]), Hook(["good"])], images: ["cart"], runner)
    #expect(outcomes.map(\.event.exitCode) == [3, 0])
    #expect(outcomes.map(\.event.output) == [["no answer"], nil])
  }

  @Test func `one that can't be started is told`() async throws {
    let outcomes = try await run(
      [Hook(["nosuchprogram"])], images: ["cart"],
      ScriptedRunner { command, _ in throw CommandError.notFound(command.executable) })
    #expect(outcomes.first?.isGood == false)
    #expect(
      outcomes.first?.event.error
        == "nosuchprogram: not found in PATH; install it or give its path")
  }
}
