import Basics
import Batching
import SystemPackage
import Testing
import Watcher

@testable import Graph
@testable import Runner

/// Two images, each of one source: //a:image ← a/x, //b:image ← b/x.
@Suite struct LoopStateTests {
  private let images: [ImageTarget]
  private let index: TargetIndex

  init() throws {
    let both = try TwoImages()
    images = both.targets
    index = both.index()
  }

  private func state(
    _ busy: BusyPolicy.Choice = .restart, definitions: Definitions = Definitions()
  ) -> LoopState {
    LoopState(backlog: Backlog(images: images), busy: busy, definitions: definitions)
  }

  private func change(
    _ path: String, _ kind: FileChange.Kind = .modified, seeing contents: UInt64?...,
    during isDuringCommand: Bool = false
  ) -> Batch {
    let path = FilePath(path)
    return Batch(
      cause: .change, changes: [FileChange(path: path, kind: kind)],
      sightings: contents.map {
        Sighting(path: path, content: $0.map { .hash($0) }, isDuringCommand: isDuringCommand)
      })
  }

  private func outcome(
    current: Set<String> = [], failedBuilds: Set<String> = [],
    failedLoads: [String: Set<String>] = [:],
    failedRollouts: [String: CycleOutcome.FailedRollout] = [:], troubled: Set<String> = [],
    isInterrupted: Bool = false, indexes: [TargetIndex] = []
  ) -> CycleOutcome {
    var outcome = CycleOutcome()
    outcome.current = current
    outcome.failedBuilds = failedBuilds
    outcome.failedLoads = failedLoads
    outcome.failedRollouts = failedRollouts
    outcome.troubled = troubled
    outcome.isInterrupted = isInterrupted
    outcome.indexes = indexes
    return outcome
  }

  /// A state whose first cycle has built both images.
  private func ready(
    _ busy: BusyPolicy.Choice = .restart, definitions: Definitions = Definitions()
  ) -> LoopState {
    var state = state(busy, definitions: definitions)
    _ = state.begin()
    _ = state.cycleEnded(outcome(current: ["a", "b"], indexes: [index]))
    return state
  }

  /// The cycle that actions start, if they do.
  private func start(_ actions: [LoopState.Action]) -> LoopState.Start? {
    actions.lazy.compactMap { if case .start(let start) = $0 { start } else { nil } }.first
  }

  private func interrupts(_ actions: [LoopState.Action]) -> Bool {
    actions.contains { if case .interrupt = $0 { true } else { false } }
  }

  private func waits(_ actions: [LoopState.Action]) -> [Retries.Lane: Duration] {
    actions.reduce(into: [:]) { if case .retry(let lane, let wait) = $1 { $0[lane] = wait } }
  }

  private func readings(_ actions: [LoopState.Action]) -> [Reading] {
    actions.compactMap { if case .read(let reading) = $0 { reading } else { nil } }
  }

  // MARK: Debts

  @Test func `what changed before anybody watched it is built at once`() {
    var state = state()
    _ = state.begin()
    var first = outcome(current: ["a", "b"], indexes: [index])
    first.found = [FileChange(path: "/w/a/x", kind: .modified)]
    let actions = state.cycleEnded(first)
    #expect(start(actions)?.owed == ["a"])
  }

  @Test func `the first cycle owes everything, and its end is the end of start-up`() {
    var state = state()
    let first = start(state.begin())
    #expect(first?.number == 1)
    #expect(first?.owed == ["a", "b"])
    let actions = state.cycleEnded(outcome(current: ["a", "b"], indexes: [index]))
    #expect(actions.contains { if case .tellReady = $0 { true } else { false } })
    #expect(state.backlog.pending.names.isEmpty)
  }

  @Test func `an interrupted first cycle is not the end of start-up, and is run again`() {
    var state = state()
    _ = state.begin()
    let actions = state.cycleEnded(outcome(isInterrupted: true))
    #expect(start(actions)?.batch.cause == .start)
    #expect(actions.count == 1)
  }

  @Test func `a change starts a cycle for what it affects`() {
    var state = ready()
    #expect(start(state.receive(change("/w/a/x"), unfinished: []))?.owed == ["a"])
  }

  @Test func `a change that affects nothing starts nothing, and is told`() {
    var state = ready()
    let actions = state.receive(change("/w/README.md"), unfinished: [])
    #expect(actions.count == 1)
    #expect(actions.contains { if case .tellUnaffected = $0 { true } else { false } })
  }

  @Test func `what failed is built again with the next batch, not before`() {
    var state = ready()
    _ = state.receive(change("/w/a/x"), unfinished: [])
    #expect(state.cycleEnded(outcome(failedBuilds: ["a"])).isEmpty)
    #expect(start(state.receive(change("/w/README.md"), unfinished: [])) == nil)
    #expect(start(state.receive(change("/w/b/x"), unfinished: []))?.owed == ["a", "b"])
  }

  @Test func `a success does not pay for what changed while it was built`() {
    var state = ready(.queue)
    _ = state.receive(change("/w/a/x"), unfinished: [])
    _ = state.receive(change("/w/a/x"), unfinished: ["a"])
    #expect(start(state.cycleEnded(outcome(current: ["a"])))?.owed == ["a"])
  }

  @Test func `a success pays for what the cycle's own index found`() {
    var state = ready()
    let first = start(state.receive(change("/w/a/BUILD"), unfinished: []))
    #expect(first?.owed == ["a"])
    var builder = TargetIndex.Builder(workspace: "/w", adding: index)
    builder.add(.rule(name: "//b:image", kind: "image", inputs: ["//a:x"]))
    #expect(state.refreshed([builder.build(images: images)]) == ["a", "b"])
    _ = state.cycleEnded(outcome(current: ["a", "b"]))
    #expect(state.backlog.pending.names.isEmpty)
  }

  @Test func `a BUILD file that changes during a build of other images owes only its own`() {
    var state = ready()
    _ = state.receive(change("/w/a/x"), unfinished: [])
    _ = state.receive(change("/w/b/BUILD"), unfinished: ["a"])
    #expect(start(state.cycleEnded(outcome(current: ["a"])))?.owed == ["b"])
  }

  @Test func `while Bazel gives no answer any change may affect any image`() {
    var state = ready()
    _ = state.receive(change("/w/a/BUILD"), unfinished: [])
    _ = state.cycleEnded(outcome(failedBuilds: ["a"]))
    #expect(start(state.receive(change("/w/notes.txt"), unfinished: []))?.owed == ["a", "b"])
  }

  // MARK: While a build runs

  @Test func `a change to an image being built interrupts, and both are answered`() {
    var state = ready()
    _ = state.receive(change("/w/a/x"), unfinished: [])
    #expect(interrupts(state.receive(change("/w/a/x"), unfinished: ["a"])))
    #expect(start(state.cycleEnded(outcome(isInterrupted: true)))?.owed == ["a"])
  }

  @Test func `a build is interrupted once, and its second interruption is left for the next`() {
    var state = ready()
    _ = state.receive(change("/w/a/x"), unfinished: [])
    #expect(interrupts(state.receive(change("/w/a/x"), unfinished: ["a"])))
    #expect(!interrupts(state.receive(change("/w/a/x"), unfinished: ["a"])))
    _ = state.cycleEnded(outcome(isInterrupted: true))
    #expect(interrupts(state.receive(change("/w/a/x"), unfinished: ["a"])))
    _ = state.cycleEnded(outcome(isInterrupted: true))
    #expect(!interrupts(state.receive(change("/w/a/x"), unfinished: ["a"])))
  }

  @Test func `a change to another image waits for the end of the build`() {
    var state = ready()
    _ = state.receive(change("/w/a/x"), unfinished: [])
    #expect(!interrupts(state.receive(change("/w/b/x"), unfinished: ["a"])))
    #expect(start(state.cycleEnded(outcome(current: ["a"])))?.owed == ["b"])
  }

  @Test(arguments: [BusyPolicy.Choice.restart, .queue])
  func `loads of what a change outdates are to be ended`(_ choice: BusyPolicy.Choice) {
    var state = ready(choice)
    _ = state.receive(change("/w/a/x"), unfinished: [])
    let outdated = state.receive(change("/w/a/x"), unfinished: ["a"]).compactMap {
      if case .outdate(let images) = $0 { images } else { nil }
    }
    #expect(outdated == [["a"]])
  }

  @Test func `an ignored change starts nothing and ends no load, yet stays owed`() {
    var state = ready(.ignore)
    _ = state.receive(change("/w/a/x"), unfinished: [])
    #expect(state.receive(change("/w/b/x"), unfinished: ["a"]).isEmpty)
    #expect(state.cycleEnded(outcome(current: ["a"])).isEmpty)
    #expect(start(state.receive(change("/w/a/x"), unfinished: []))?.owed == ["a", "b"])
  }

  // MARK: What is tried again

  @Test func `a failed load is tried again when its runtime answers`() {
    var state = ready()
    _ = state.receive(change("/w/a/x"), unfinished: [])
    let lane = Retries.Lane.runtime("docker")
    let actions = state.cycleEnded(outcome(failedLoads: ["a": ["docker"]]))
    #expect(waits(actions) == [lane: .seconds(1)])
    #expect(waits(state.retryDue(lane, isAvailable: false)) == [lane: .seconds(2)])
    let retried = start(state.retryDue(lane, isAvailable: true))
    #expect(retried?.owed == ["a"])
    #expect(retried?.batch.cause == .retry)
    #expect(state.cycleEnded(outcome(current: ["a"])).isEmpty)
  }

  @Test func `a failed rollout is tried again in a lane of its own`() {
    var state = ready()
    _ = state.receive(change("/w/a/x"), unfinished: [])
    let lane = Retries.Lane.rollout("container a")
    let failed = CycleOutcome.FailedRollout(target: "container a", isRetried: true)
    let actions = state.cycleEnded(outcome(failedRollouts: ["a": failed]))
    #expect(waits(actions) == [lane: .seconds(1)])
    let retried = start(state.retryDue(lane, isAvailable: true))
    #expect(retried?.owed == ["a"])
    #expect(state.cycleEnded(outcome(current: ["a"])).isEmpty)
  }

  @Test func `an image that ends by its own fault waits for a save, and stays owed`() {
    var state = ready()
    _ = state.receive(change("/w/a/x"), unfinished: [])
    let failed = CycleOutcome.FailedRollout(target: "container a", isRetried: false)
    #expect(state.cycleEnded(outcome(failedRollouts: ["a": failed])).isEmpty)
    #expect(start(state.receive(change("/w/b/x"), unfinished: []))?.owed == ["a", "b"])
  }

  @Test func `a runtime that stays down holds up no other`() {
    var state = ready()
    _ = state.receive(change("/w/a/x"), unfinished: [])
    let (docker, registry) = (Retries.Lane.runtime("docker"), Retries.Lane.runtime("registry:r"))
    let actions = state.cycleEnded(outcome(failedLoads: ["a": ["docker", "registry:r"]]))
    #expect(waits(actions) == [docker: .seconds(1), registry: .seconds(1)])
    #expect(start(state.retryDue(registry, isAvailable: false)) == nil)
    #expect(start(state.retryDue(docker, isAvailable: true))?.owed == ["a"])
    let later = state.cycleEnded(outcome(failedLoads: ["a": ["registry:r"]]))
    #expect(waits(later).isEmpty, "the wait for the registry goes on")
    #expect(start(state.retryDue(registry, isAvailable: true))?.owed == ["a"])
  }

  @Test func `a failed load is tried again though a save of nothing came meanwhile`() {
    var state = ready()
    _ = state.receive(change("/w/a/x"), unfinished: [])
    _ = state.receive(change("/w/README.md"), unfinished: ["a"])
    let actions = state.cycleEnded(outcome(failedLoads: ["a": ["docker"]]))
    #expect(waits(actions).keys.contains(.runtime("docker")))
  }

  @Test func `what Bazel did not come to is tried again`() {
    var state = ready()
    _ = state.receive(change("/w/a/x"), unfinished: [])
    #expect(waits(state.cycleEnded(outcome(troubled: ["a"]))) == [.bazel: .seconds(1)])
    #expect(start(state.retryDue(.bazel, isAvailable: true))?.owed == ["a"])
  }

  // MARK: What is read again

  private var definitions: Definitions {
    Definitions { path in
      switch path.lastComponent?.string {
      case "watchbuild.yaml": .configuration
      case "BUILD": .images
      default: []
      }
    }
  }

  @Test func `a BUILD file has the images asked for before its cycle`() {
    var state = ready(definitions: definitions)
    let actions = state.receive(change("/w/a/BUILD"), unfinished: [])
    #expect(readings(actions) == [.images])
    #expect(start(actions) == nil)
    #expect(start(state.readingEnded())?.owed == ["a"])
  }

  @Test func `a configuration that was read is the cause of its cycle`() {
    var state = ready(definitions: definitions)
    _ = state.receive(change("/w/watchbuild.yaml"), unfinished: [])
    let started = start(state.readingEnded([images[0]]))
    #expect(started == nil, "nothing is owed")
    #expect(state.backlog.images.map(\.name) == ["a"])
  }

  @Test func `a query that failed is asked again by itself and with the next batch`() {
    var state = ready(definitions: definitions)
    _ = state.receive(change("/w/a/BUILD"), unfinished: [])
    _ = state.readingFailed(isTransient: true)
    let actions = state.cycleEnded(outcome(current: ["a"], indexes: [index]))
    #expect(waits(actions) == [.reading: .seconds(1)])
    #expect(readings(state.retryDue(.reading, isAvailable: true)) == [.images])
    _ = state.readingFailed(isTransient: true)
    #expect(readings(state.receive(change("/w/b/x"), unfinished: [])) == [.images])
    _ = state.readingEnded()
    _ = state.cycleEnded(outcome(current: ["b"]))
    #expect(readings(state.receive(change("/w/b/x"), unfinished: [])).isEmpty)
  }

  @Test func `a new image that a retried query finds is built`() {
    var state = ready(definitions: definitions)
    _ = state.receive(change("/w/a/BUILD"), unfinished: [])
    _ = state.readingFailed(isTransient: true)
    _ = state.cycleEnded(outcome(current: ["a"], indexes: [index]))
    _ = state.retryDue(.reading, isAvailable: true)
    var c = images[0]
    c.name = "c"
    #expect(start(state.readingEnded(images + [c]))?.owed == ["c"])
  }

  @Test func `what comes while something is read waits for it`() {
    var state = ready(definitions: definitions)
    _ = state.receive(change("/w/a/BUILD"), unfinished: [])
    #expect(state.receive(change("/w/b/x"), unfinished: []).isEmpty)
    #expect(start(state.readingEnded())?.owed == ["a", "b"])
  }

  @Test func `what is ignored during a build is read with the next batch`() {
    var state = ready(.ignore, definitions: definitions)
    _ = state.receive(change("/w/a/x"), unfinished: [])
    _ = state.receive(change("/w/watchbuild.yaml"), unfinished: ["a"])
    _ = state.cycleEnded(outcome(current: ["a"]))
    let actions = state.receive(change("/w/b/x"), unfinished: [])
    #expect(readings(actions) == [.configuration])
  }

  // MARK: What a build writes

  @Test func `what Bazel rewrites with the same content is no save`() {
    var state = ready()
    _ = state.receive(change("/w/a/x", seeing: 1), unfinished: [])
    #expect(state.receive(change("/w/a/x", seeing: 1, during: true), unfinished: ["a"]).isEmpty)
    #expect(state.cycleEnded(outcome(current: ["a"])).isEmpty)
    #expect(state.backlog.pending.names.isEmpty)
  }

  @Test func `the same content saved while nothing runs is a save`() {
    var state = ready()
    _ = state.receive(change("/w/a/x", seeing: 1), unfinished: [])
    _ = state.cycleEnded(outcome(current: ["a"]))
    #expect(start(state.receive(change("/w/a/x", seeing: 1), unfinished: []))?.owed == ["a"])
  }

  @Test func `the lock file that Bazel writes is no save, and interrupts nothing`() {
    var state = ready()
    let lock = "/w/MODULE.bazel.lock"
    _ = state.receive(change("/w/a/x"), unfinished: [])
    #expect(state.receive(change(lock, seeing: 1, during: true), unfinished: ["a"]).isEmpty)
    #expect(state.receive(change(lock, seeing: 2, during: true), unfinished: ["a"]).isEmpty)
    #expect(state.cycleEnded(outcome(current: ["a"])).isEmpty)
    #expect(state.receive(change(lock, seeing: 2), unfinished: []).isEmpty)
    #expect(start(state.receive(change(lock, seeing: 3), unfinished: []))?.owed == ["a", "b"])
  }

  @Test func `a file that each build writes anew starts a few builds, then is told and left`() {
    var state = ready()
    _ = state.receive(change("/w/a/x", seeing: 0), unfinished: [])
    var cycles = 0
    var told: [[FilePath]] = []
    var waits: [Retries.Lane: Duration] = [:]
    for content in 1...20 {
      let write = change("/w/a/x", seeing: UInt64(content), during: true)
      let isInterrupted = interrupts(state.receive(write, unfinished: ["a"]))
      let actions = state.cycleEnded(
        outcome(current: isInterrupted ? [] : ["a"], isInterrupted: isInterrupted))
      told += actions.compactMap {
        if case .tellSelfWritten(let files) = $0 { files } else { nil }
      }
      waits = self.waits(actions)
      guard start(actions) != nil else { break }
      cycles += 1
    }
    #expect(cycles == 3)
    #expect(told == [["/w/a/x"]])
    #expect(waits == [.selfWritten: .seconds(60)])
    #expect(state.backlog.pending.names == ["a"], "nothing is forgotten")
    #expect(start(state.receive(change("/w/a/x", seeing: 99), unfinished: []))?.owed == ["a"])
  }

  // MARK: What Bazel may have half seen

  @Test(arguments: [BusyPolicy.Choice.restart, .queue])
  func `content that comes back after a save during a build is suspect`(
    _ choice: BusyPolicy.Choice
  ) {
    var state = ready(choice)
    _ = state.receive(change("/w/a/x", seeing: 1), unfinished: [])
    let isInterrupted = interrupts(
      state.receive(change("/w/a/x", seeing: 2, during: true), unfinished: ["a"]))
    _ = state.receive(change("/w/a/x", seeing: 1, during: true), unfinished: ["a"])
    let next = start(
      state.cycleEnded(
        outcome(current: isInterrupted ? [] : ["a"], isInterrupted: isInterrupted)))
    #expect(next?.halfSeen == ["/w/a/x"])
    #expect(next?.owed == ["a"])
    let last = state.cycleEnded(outcome(current: ["a"]))
    #expect(start(last) == nil)
  }

  @Test func `what is suspect stays so until it has been built`() {
    var state = ready(.queue)
    _ = state.receive(change("/w/a/x", seeing: 1), unfinished: [])
    _ = state.receive(change("/w/a/x", seeing: 2, during: true), unfinished: ["a"])
    _ = state.cycleEnded(outcome(current: ["a"]))
    _ = state.cycleEnded(outcome(troubled: ["a"]))
    #expect(
      start(state.receive(change("/w/a/x", seeing: 1), unfinished: []))?.halfSeen == ["/w/a/x"])
    _ = state.cycleEnded(outcome(troubled: ["a"]))
    #expect(start(state.retryDue(.bazel, isAvailable: true))?.halfSeen == ["/w/a/x"])
    _ = state.cycleEnded(outcome(current: ["a"]))
    #expect(start(state.receive(change("/w/a/x", seeing: 3), unfinished: []))?.halfSeen == [])
  }

  @Test func `content that comes back after the build, before the next, is suspect`() {
    var state = ready(.ignore)
    _ = state.receive(change("/w/a/x", seeing: 1), unfinished: [])
    _ = state.receive(change("/w/a/x", seeing: 2, during: true), unfinished: ["a"])
    _ = state.cycleEnded(outcome(current: ["a"]))
    #expect(
      start(state.receive(change("/w/a/x", seeing: 1), unfinished: []))?.halfSeen == ["/w/a/x"])
  }

  @Test func `one save during a build is not suspect, nor is what is saved after its build`() {
    var state = ready(.queue)
    _ = state.receive(change("/w/a/x", seeing: 1), unfinished: [])
    _ = state.receive(change("/w/a/x", seeing: 2, during: true), unfinished: ["a"])
    #expect(start(state.cycleEnded(outcome(current: ["a"])))?.halfSeen == [])
    _ = state.cycleEnded(outcome(current: ["a"]))
    #expect(start(state.receive(change("/w/a/x", seeing: 1), unfinished: []))?.halfSeen == [])
  }

  // MARK: What comes and goes

  @Test func `a temporary file that was there while Bazel ran is owed when it goes`() {
    var state = ready()
    let file = "/w/a/.x.swp"
    #expect(start(state.receive(change(file, .created), unfinished: [])) == nil)
    _ = state.receive(change("/w/a/x"), unfinished: [])
    _ = state.cycleEnded(outcome(current: ["a"]))
    #expect(start(state.receive(change(file, .deleted), unfinished: []))?.owed == ["a"])
  }

  @Test func `a temporary file that no build has seen goes without a word`() {
    var state = ready()
    _ = state.receive(change("/w/a/.x.swp", .created), unfinished: [])
    #expect(start(state.receive(change("/w/a/.x.swp", .deleted), unfinished: [])) == nil)
  }

  @Test func `what came and went while a build ran is owed`() {
    var state = ready()
    _ = state.receive(change("/w/b/x"), unfinished: [])
    _ = state.receive(change("/w/a/part.tmp", .deleted, seeing: nil, during: true), unfinished: [])
    #expect(start(state.cycleEnded(outcome(current: ["b"])))?.owed == ["a"])
  }

  // MARK: A saved index

  private func restored(_ path: String, owed: Set<String> = []) -> LoopState {
    var state = state()
    state.restore(
      IndexFile.Saved(
        index: index, changes: [FileChange(path: FilePath(path), kind: .modified)], owed: owed))
    return state
  }

  @Test func `with a saved index everything is built once, without a query`() {
    var state = restored("/w/a/x")
    let first = start(state.begin())
    #expect(first?.batch.changes.map(\.path) == ["/w/a/x"])
    #expect(first?.owed == ["a", "b"])
    #expect(state.backlog.stale.isEmpty)
  }

  @Test func `a saved index whose graph has changed is asked for again`() {
    var state = restored("/w/a/BUILD")
    _ = state.begin()
    #expect(Array(state.backlog.stale.keys) == ["/w"])
  }

  @Test func `with no build at start, what changed meanwhile and what was owed wait`() {
    var state = restored("/w/a/BUILD", owed: ["b"])
    #expect(state.backlog.stale.count == 1)
    _ = state.postponed([index])
    #expect(state.backlog.stale.isEmpty)
    #expect(state.backlog.pending.names == ["a", "b"])
    #expect(start(state.receive(change("/w/a/x"), unfinished: []))?.owed == ["a", "b"])
  }

  @Test func `an index is saved when it is new, and when what is owed is other`() {
    var moments = IndexMoments()
    var state = ready()
    #expect(moments.unsaved(state.backlog)?.owed == nil)
    moments.adopted(index, at: 7)
    let snapshot = moments.unsaved(state.backlog)
    #expect(snapshot?.indexes.map(\.moment) == [7])
    #expect(snapshot?.owed == [])
    #expect(moments.unsaved(state.backlog)?.owed == nil)
    _ = state.receive(change("/w/a/x"), unfinished: [])
    _ = state.cycleEnded(outcome(failedBuilds: ["a"]))
    #expect(moments.unsaved(state.backlog)?.owed == ["a"])
  }

  @Test func `an index that is behind is not saved`() {
    var moments = IndexMoments()
    var state = ready()
    moments.adopted(index, at: 7)
    _ = state.receive(change("/w/a/BUILD"), unfinished: [])
    #expect(moments.unsaved(state.backlog)?.indexes.isEmpty == true)
  }
}
