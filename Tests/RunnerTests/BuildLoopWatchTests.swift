import Graph
import SystemPackage
import TestSupport
import Testing

@testable import Events
@testable import Processes
@testable import Runner

/// Builds that go by the watch of Bazel's server, with a played Bazel that has one.
@Suite(.timeLimit(.minutes(10))) struct BuildLoopWatchTests {
  private typealias Answer = PlayedBazel.Answer
  private let harness: LoopHarness

  init() throws {
    harness = try LoopHarness()
    harness.bazel.startServer()
  }

  private func run(
    leastFiles: Int = 1, isWhole: Bool = true, _ script: @Sendable () async throws -> Void
  ) async throws {
    var setup = harness.setup()
    setup.watchRules = WatchRules(leastFiles: leastFiles) { isWhole }
    try await harness.run(setup, script)
  }

  /// Whether each build so far had the server watch.
  private var watches: [Bool] {
    harness.bazel.arguments.filter { $0.contains("build") }.map { $0.contains("--watchfs") }
  }

  /// Saves a file, which the server's watch sees if it watches, and waits for the cycle.
  private func save(_ path: String, seen: String? = nil, cycle: Int) async {
    harness.bazel.answer("build", Answer(seen: [harness.root.pushing(FilePath(seen ?? path))]))
    harness.change(path)
    await harness.waitForCycles(cycle)
  }

  @Test func `the first save starts the watch, and those after it go by it`() async throws {
    try await run {
      await harness.waitForCycles(1)
      for cycle in 2...4 { await save("a/x", cycle: cycle) }
    }
    #expect(watches == [false, true, true, true])
    #expect(harness.cycles.map(\.bazelCommands) == [2, 1, 1, 1])
    #expect(harness.statuses(of: "a") == [.built, .built, .built, .built])
  }

  @Test func `a save that the watch has missed is built again before anybody is told`()
    async throws
  {
    try await run {
      await harness.waitForCycles(1)
      await save("a/x", cycle: 2)
      await save("a/x", seen: "b/x", cycle: 3)
    }
    #expect(watches == [false, true, true, false])
    #expect(harness.statuses(of: "a") == [.built, .built, .built])
    #expect(harness.cycles.last?.bazelCommands == 2)
  }

  @Test func `a failure that may be old is built again before anybody is told`() async throws {
    try await run {
      await harness.waitForCycles(1)
      await save("a/x", cycle: 2)
      harness.bazel.answer("build", Answer(exit: .exited(1), failing: ["//a:image"]))
      harness.change("a/x")
      await harness.waitForCycles(3)
    }
    #expect(watches == [false, true, true, false])
    #expect(harness.statuses(of: "a") == [.built, .built, .built])
    #expect(harness.cycles.last?.status == .ok)
  }

  @Test func `a watch that tells nothing three times in a row is given up`() async throws {
    try await run {
      await harness.waitForCycles(1)
      harness.bazel.isMute = true
      for cycle in 2...9 { await save("a/x", cycle: cycle) }
    }
    // Each starts it anew, goes by it, is told nothing and builds again.
    let tries = [true, true, false, true, true, false, true, true, false]
    #expect(watches == [false] + tries + [false, false])
    #expect(harness.cycles.allSatisfy { $0.status == .ok })
  }

  @Test func `after a command of another hand everything is looked at`() async throws {
    try await run {
      await harness.waitForCycles(1)
      await save("a/x", cycle: 2)
      try harness.bazel.runByHand()
      for cycle in 3...5 { await save("a/x", cycle: cycle) }
    }
    #expect(watches == [false, true, false, true, true])
  }

  @Test func `a build that was interrupted leaves nothing known`() async throws {
    try await run {
      await harness.waitForCycles(1)
      await save("a/x", cycle: 2)
      harness.bazel.answer("build", Answer(exit: .exited(8)))
      harness.change("a/x")
      await harness.waitForCycles(3)
      for cycle in 4...5 { await save("a/x", cycle: cycle) }
    }
    #expect(watches == [false, true, true, false, true])
  }

  @Test func `what is no plain save has everything looked at`() async throws {
    try await run {
      await harness.waitForCycles(1)
      await save("a/x", cycle: 2)
      harness.change(".bazelrc")
      await harness.waitForCycles(3)
    }
    #expect(watches == [false, true, false])
  }

  @Test(arguments: [(5, true), (1, false)])
  func `small workspaces, and those that are not watched whole, have everything looked at`(
    leastFiles: Int, isWhole: Bool
  ) async throws {
    try await run(leastFiles: leastFiles, isWhole: isWhole) {
      await harness.waitForCycles(1)
      for cycle in 2...3 { await save("a/x", cycle: cycle) }
    }
    #expect(watches == [false, false, false])
  }
}
