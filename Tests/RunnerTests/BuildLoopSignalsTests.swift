import Batching
import FoundationEssentials
import Graph
import Processes
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Events
@testable import Runner

/// What each signal of the loop does beyond starting builds, with a played Bazel.
@Suite(.timeLimit(.minutes(10))) struct BuildLoopSignalsTests {
  @Test func `a load that the next save makes void is ended before its time`() async throws {
    let harness = try LoopHarness()
    let runtime = HeldRuntime("slow")
    try await harness.run(harness.setup([runtime])) {
      await harness.wait { runtime.startedCount == 2 }
      harness.change("a/x")
      await harness.wait { harness.statuses(of: "a").contains(.cancelled) }
      runtime.letGo()
      await harness.waitForCycles(2)
    }
    #expect(harness.statuses(of: "a").last == .loaded)
    #expect(!harness.statuses(of: "b").contains(.cancelled))
  }

  @Test func `a setup that was read anew holds from the next cycle on`() async throws {
    let harness = try LoopHarness()
    let definitions = Definitions { $0.lastComponent?.string == "BUILD" ? .images : [] }
    try await harness.run(
      definitions: definitions,
      read: { _, setup, _ in
        var changed = setup
        changed.buildConcurrency = 1
        return .read(changed)
      }
    ) {
      await harness.waitForCycles(1)
      harness.change("a/BUILD")
      await harness.waitForCycles(2)
      harness.request(["a", "b"])
      await harness.waitForCycles(3)
    }
    let targets = harness.bazel.arguments.filter { $0.contains("build") }.map { arguments in
      arguments.filter { $0.hasPrefix("//") }.sorted()
    }
    #expect(targets.first == ["//a:image", "//b:image"])
    #expect(targets.suffix(2) == [["//a:image"], ["//b:image"]])
  }

  @Test func `those who wait no longer are forgotten`() async throws {
    let harness = try LoopHarness()
    let waits = Mutex(0)
    let gone = Mutex(Set<Int>())
    let audience = Audience(
      departed: {
        gone.withLock { gone in
          defer { gone = [] }
          return gone
        }
      }, show: { snapshot in waits.withLock { $0 = snapshot.waits } })
    try await harness.run(audience: audience) {
      await harness.waitForCycles(1)
      harness.ask(1, .pause)
      harness.change("a/x")
      harness.ask(2, .wait(Question(.everything, upTo: .built)))
      await harness.wait { waits.withLock { $0 == 1 } }
      gone.withLock { $0 = [2] }
      harness.change("b/x")
      await harness.wait { waits.withLock { $0 == 0 } }
    }
    #expect(harness.cycles.count == 1)
  }

  @Test func `the index is kept for the next run`() async throws {
    let harness = try LoopHarness()
    let saved = try harness.savedIndexes()
    try await harness.run(saved: saved) {
      await harness.waitForCycles(1)
      while await saved.last(of: harness.root, images: harness.images) == nil {
        await Task.yield()
      }
    }
    let index = await saved.last(of: harness.root, images: harness.images)
    #expect(index?.fileCount == 4)
  }

  // MARK: What is not built

  @Test func `an image whose hook before the build failed is not built`() async throws {
    let harness = try LoopHarness()
    var setup = harness.setup()
    setup.hooks = HookRunner(
      Hooks([.beforeBuild: [Hook(["generate"], images: ["a"])]]), in: harness.root,
      runner: ScriptedRunner { _, _ in .exited(1) }, clock: ContinuousClock())
    try await harness.run(setup) { await harness.waitForCycles(1) }
    #expect(harness.bazel.arguments.last?.filter { $0.hasPrefix("//") } == ["//b:image"])
    #expect(harness.statuses(of: "a") == [.cancelled])
    #expect(harness.statuses(of: "b") == [.built])
  }

  @Test func `two images of one name are not built`() async throws {
    let harness = try LoopHarness()
    var setup = harness.setup()
    for index in setup.images.indices { setup.images[index].references = ["lab/same:dev"] }
    try await harness.run(setup) { await harness.waitForCycles(1) }
    #expect(harness.bazel.kinds == ["query"])
    #expect(harness.statuses(of: "a") == [.failed])
    #expect(harness.statuses(of: "b") == [.failed])
  }
}
