import Batching
import Graph
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import Bazel
@testable import Events
@testable import Processes
@testable import Runner

/// The loop's shell, with a played Bazel and a clock that stands still.
@Suite(.timeLimit(.minutes(10))) struct BuildLoopTests {
  private typealias Answer = PlayedBazel.Answer

  @Test func `a start asks for the graph and builds everything once`() async throws {
    let harness = try LoopHarness()
    try await harness.run { await harness.waitForCycles(1) }
    #expect(harness.bazel.kinds == ["query", "build"])
    #expect(harness.cycles.map(\.ok) == [2])
    #expect(harness.events.contains { if case .ready = $0.kind { true } else { false } })
  }

  @Test func `a save costs one build and no query`() async throws {
    let harness = try LoopHarness()
    try await harness.run {
      await harness.waitForCycles(1)
      harness.change("a/x")
      await harness.waitForCycles(2)
    }
    #expect(harness.bazel.kinds == ["query", "build", "build"])
    #expect(harness.cycles.last?.bazelCommands == 1)
    #expect(harness.statuses(of: "b") == [.built])
  }

  @Test func `a save that no image depends on is told, and builds nothing`() async throws {
    let harness = try LoopHarness()
    try await harness.run {
      await harness.waitForCycles(1)
      harness.change("docs/notes.txt")
      await harness.wait {
        harness.events.contains { if case .unaffected = $0.kind { true } else { false } }
      }
    }
    #expect(harness.cycles.count == 1)
  }

  @Test func `an image that only the new graph affects is built in the same cycle`() async throws {
    let harness = try LoopHarness()
    try await harness.run {
      await harness.waitForCycles(1)
      harness.bazel.setGraph(
        LoopHarness.graph + [.rule(name: "//b:image", kind: "image", inputs: ["//a:image"])])
      harness.change("a/BUILD")
      await harness.waitForCycles(2)
    }
    #expect(harness.bazel.kinds == ["query", "build", "query", "build"])
    #expect(harness.cycles.last?.ok == 2)
  }

  @Test func `a graph that reaches beyond what is watched is asked for again`() async throws {
    let harness = try LoopHarness()
    let answers = Mutex([true, false])
    try await harness.run(follow: { _ in
      answers.withLock { $0.isEmpty ? false : $0.removeFirst() }
    }) { await harness.waitForCycles(1) }
    #expect(harness.bazel.kinds == ["query", "query", "build"])
  }

  @Test
  func `what a file held before the first build is known, so that Bazel's rewriting it is no save`()
    async throws
  {
    let harness = try LoopHarness()
    // Older than the cycle, beyond doubt.
    try Tool.run("touch", ["-d", "2020-01-01", "\(harness.root)/a/x"])
    guard case .hash(let content) = FileContent.look(at: harness.root.appending("a/x")) else {
      Issue.record("a/x can't be read")
      return
    }
    try await harness.run {
      await harness.waitForCycles(1)
      harness.change("a/x", seeing: content, during: true)
      harness.change("b/x")
      await harness.waitForCycles(2)
    }
    #expect(harness.statuses(of: "a") == [.built])
    #expect(harness.statuses(of: "b") == [.built, .built])
  }

  // MARK: Trouble

  /// A save whose build goes so, and the try that follows by itself.
  private func saveAndRetry(_ harness: LoopHarness, _ answer: Answer) async throws {
    try await harness.run {
      await harness.waitForCycles(1)
      harness.bazel.answer("build", answer)
      harness.change("a/x")
      await harness.waitForCycles(2)
      await harness.clock.waitForSleepers()
      harness.clock.advance(by: .seconds(1))
      await harness.waitForCycles(3)
    }
  }

  @Test func `a Bazel that can't be started is tried again by itself`() async throws {
    let harness = try LoopHarness()
    try await saveAndRetry(harness, Answer(isMissing: true))
    #expect(harness.cycles.map(\.status) == [.ok, .failed, .ok])
  }

  @Test func `a query that can't be started leaves the old graph and is no end`() async throws {
    let harness = try LoopHarness()
    try await harness.run {
      await harness.waitForCycles(1)
      harness.bazel.answer("query", Answer(isMissing: true))
      harness.change("a/BUILD")
      await harness.waitForCycles(2)
      harness.change("a/x")
      await harness.waitForCycles(3)
    }
    #expect(harness.bazel.kinds == ["query", "build", "query", "build", "query", "build"])
    #expect(harness.cycles.last?.status == .ok)
  }

  @Test func `what failed in a build whose server died is tried again by itself`() async throws {
    let harness = try LoopHarness()
    try await saveAndRetry(harness, Answer(exit: .exited(37), failing: ["//a:image"]))
    #expect(harness.cycles.map(\.status) == [.ok, .failed, .ok])
    #expect(harness.statuses(of: "a").last == .built)
  }

  @Test
  func `an image that a dying server did not come to is said to wait for that, and tried again`()
    async throws
  {
    let harness = try LoopHarness()
    try await saveAndRetry(harness, Answer(exit: .exited(37), skipped: ["//a:image"]))
    #expect(harness.cycles.map(\.status) == [.ok, .failed, .ok])
    #expect(harness.statuses(of: "a") == [.built, .failed, .built])
  }

  @Test func `an image that fails by its own fault waits for a save`() async throws {
    let harness = try LoopHarness()
    try await harness.run {
      await harness.waitForCycles(1)
      harness.bazel.answer("build", Answer(exit: .exited(1), failing: ["//a:image"]))
      harness.change("a/x")
      await harness.waitForCycles(2)
      harness.change("docs/notes.txt")
      await harness.wait {
        harness.events.contains { if case .unaffected = $0.kind { true } else { false } }
      }
    }
    #expect(harness.clock.sleeperCount == 0)
    #expect(harness.cycles.last?.failedImages == ["a"])
  }

  @Test(arguments: ["query", "build"])
  func `a lock that is not waited for ends the loop`(command: String) async throws {
    let harness = try LoopHarness()
    harness.bazel.answer(command, Answer(exit: .exited(9)))
    await #expect(throws: LockHeld.self) {
      try await harness.runToItsEnd(harness.setup(waitsForLock: false))
    }
  }

  // MARK: What Bazel writes

  @Test func `a build that leaves another lock file than it found is repeated within its cycle`()
    async throws
  {
    let harness = try LoopHarness()
    let lock = harness.root.appending("MODULE.bazel.lock")
    try lock.write(Array("{ }".utf8))
    harness.bazel.answer("build", Answer(meanwhile: { try lock.write(Array("{}".utf8)) }))
    try await harness.run { await harness.waitForCycles(1) }
    #expect(harness.bazel.kinds == ["query", "build", "build"])
    #expect(harness.statuses(of: "a") == [.built], "what is the same is told once")
  }

  @Test func `a build that leaves the lock file as the cycle found it is not repeated`()
    async throws
  {
    let harness = try LoopHarness()
    let lock = harness.root.appending("MODULE.bazel.lock")
    try lock.write(Array("{}".utf8))
    harness.bazel.answer("query", Answer(meanwhile: { try lock.write(Array("{ }".utf8)) }))
    harness.bazel.answer("build", Answer(meanwhile: { try lock.write(Array("{}".utf8)) }))
    try await harness.run { await harness.waitForCycles(1) }
    #expect(harness.bazel.kinds == ["query", "build"])
  }

  @Test func `a lock file that was not there is Bazel's, and no build is repeated for it`()
    async throws
  {
    let harness = try LoopHarness()
    let lock = harness.root.appending("MODULE.bazel.lock")
    harness.bazel.answer("build", Answer(meanwhile: { try lock.write(Array("{}".utf8)) }))
    try await harness.run { await harness.waitForCycles(1) }
    #expect(harness.bazel.kinds == ["query", "build"])
  }

  @Test func `a lock file that every build writes anew does not keep a cycle for ever`()
    async throws
  {
    let harness = try LoopHarness()
    let lock = harness.root.appending("MODULE.bazel.lock")
    try lock.write(Array("{}".utf8))
    let writes = (0..<5).map { number in
      Answer(meanwhile: { try lock.write(Array("\(number)".utf8)) })
    }
    for write in writes { harness.bazel.answer("build", write) }
    try await harness.run { await harness.waitForCycles(1) }
    #expect(harness.bazel.kinds == ["query", "build", "build", "build"])
  }

  // MARK: While a build runs

  @Test func `a change to an image being built ends that build, and is answered`() async throws {
    let harness = try LoopHarness()
    try await harness.run {
      await harness.waitForCycles(1)
      harness.bazel.answer(
        "build",
        Answer(meanwhile: {
          harness.change("a/x")
          // Until it is interrupted.
          for await _ in AsyncStream<Never>.makeStream().stream {}
        }))
      harness.change("a/x")
      await harness.waitForCycles(3)
    }
    #expect(harness.cycles.map(\.status) == [.ok, .cancelled, .ok])
  }

  @Test(arguments: [BusyPolicy.Choice.restart, .queue])
  func `what was made from a half seen file is taken away before the next build, and nothing else`(
    _ choice: BusyPolicy.Choice
  ) async throws {
    let harness = try LoopHarness()
    let bin = "base/execroot/_main/bazel-out/k8-fastbuild/bin"
    for file in ["a/x.out", "a/deep/y.out", "b/x.out"] {
      try harness.directory.write("", to: "\(bin)/\(file)")
    }
    let left = Mutex<[String]>([])
    @Sendable func isThere(_ file: String) -> Bool {
      FileContent.look(at: harness.directory.appending("\(bin)/\(file)")) != .absent
    }
    try await harness.run(busy: choice) {
      await harness.waitForCycles(1)
      harness.bazel.answer(
        "build",
        Answer(meanwhile: { harness.change("a/x", seeing: 2, during: true) }),
        Answer(meanwhile: {
          left.withLock { $0 = ["a/x.out", "b/x.out"].filter(isThere) }
        }))
      harness.change("a/x", seeing: 1)
      await harness.wait { harness.bazel.kinds.count > 2 }
      harness.change("a/x", seeing: 1)
      await harness.wait { !isThere("a/x.out") && !trusting(harness).allSatisfy(\.self) }
    }
    #expect(!isThere("a/deep/y.out"))
    #expect(
      trusting(harness).count { !$0 } == 1, "that build alone takes no cache's word")
    #expect(isThere("b/x.out"))
  }

  /// Of each command, whether it takes a cache's word.
  private func trusting(_ harness: LoopHarness) -> [Bool] {
    harness.bazel.arguments.map { !$0.contains("--noremote_accept_cached") }
  }

  @Test func `one save while a build runs has nothing taken away`() async throws {
    let harness = try LoopHarness()
    let file = "base/execroot/_main/bazel-out/k8-fastbuild/bin/a/x.out"
    let path = try harness.directory.write("", to: file)
    try await harness.run(busy: .queue) {
      await harness.waitForCycles(1)
      harness.bazel.answer(
        "build", Answer(meanwhile: { harness.change("a/x", seeing: 2, during: true) }))
      harness.change("a/x", seeing: 1)
      await harness.waitForCycles(3)
    }
    #expect(FileContent.look(at: path) != .absent)
  }

  // MARK: What else a cycle tells

  @Test func `an image whose requirement failed is told and counted as held up`() async throws {
    let harness = try LoopHarness(requires: ["b": ["a"]])
    harness.bazel.answer("build", Answer(exit: .exited(1), failing: ["//a:image"]))
    try await harness.run { await harness.waitForCycles(1) }
    #expect(harness.cycles.map(\.heldUp) == [1])
    #expect(harness.cycles.map(\.failedImages) == [["a"]])
    #expect(harness.statuses(of: "b") == [.cancelled])
  }

  @Test func `what Bazel says while images are looked for stands within the cycle that follows`()
    async throws
  {
    let harness = try LoopHarness()
    let diagnostic = Diagnostic(
      file: "a/BUILD", line: 1, column: 1, severity: .error, message: "syntax error")
    let definitions = Definitions { $0.lastComponent?.string == "BUILD" ? .images : [] }
    try await harness.run(
      definitions: definitions,
      read: { _, _, hear in
        hear(.diagnostic(diagnostic))
        return .read(nil)
      }
    ) {
      await harness.waitForCycles(1)
      harness.change("a/BUILD")
      await harness.waitForCycles(2)
    }
    let told = harness.events.compactMap {
      if case .diagnostic(let diagnostic) = $0.kind { diagnostic.image } else { nil }
    }
    #expect(told == ["a"])
    let types = harness.events.filter { $0.cycle == 2 }.map(\.type)
    #expect(types.prefix(2) == ["batch", "diagnostic"])
    #expect(types.last == "cycle")
    #expect(harness.events.count { $0.type == "diagnostic" } == 1)
  }

  @Test func `images that could not be asked for are asked for again by themselves`() async throws {
    let harness = try LoopHarness()
    let readings = Mutex(0)
    let definitions = Definitions { $0.lastComponent?.string == "BUILD" ? .images : [] }
    try await harness.run(
      definitions: definitions,
      read: { _, _, _ in
        let count = readings.withLock { count in
          count += 1
          return count
        }
        return count == 1 ? .failed(isTransient: true) : .read(nil)
      }
    ) {
      await harness.waitForCycles(1)
      harness.change("a/BUILD")
      await harness.waitForCycles(2)
      await harness.clock.waitForSleepers()
      harness.clock.advance(by: .seconds(1))
      await harness.wait { readings.withLock { $0 == 2 } }
    }
  }
}
