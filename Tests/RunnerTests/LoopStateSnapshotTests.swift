import Batching
import Bazel
import Events
import Graph
import SystemPackage
import Testing
import Watcher

@testable import Runner

/// How things are, as whoever asks is told: //a:image ← a/x, //b:image ← b/x.
@Suite struct LoopStateSnapshotTests {
  private let images: [ImageTarget]
  private let index: TargetIndex

  init() throws {
    let both = try TwoImages()
    images = both.targets
    index = both.index()
  }

  private func ready() -> LoopState {
    var state = LoopState(backlog: Backlog(images: images), busy: .queue)
    _ = state.begin()
    var outcome = CycleOutcome()
    outcome.current = ["a", "b"]
    outcome.indexes = [index]
    _ = state.cycleEnded(outcome)
    return state
  }

  private func save(_ path: String, in state: inout LoopState, unfinished: Set<String> = []) {
    let change = FileChange(path: FilePath(path), kind: .modified)
    _ = state.receive(
      Batch(
        cause: .change, changes: [change],
        sightings: [Sighting(path: change.path, content: nil, isDuringCommand: false)]),
      unfinished: unfinished)
  }

  private func owed(_ state: LoopState) -> [String: DebtReason] {
    state.snapshot.images.reduce(into: [:]) { owed, image in owed[image.name] = image.owed }
  }

  @Test func `when all is well nothing is owed and nothing runs`() {
    let snapshot = ready().snapshot
    #expect(snapshot.isReady)
    #expect(snapshot.cycle == 1)
    #expect(snapshot.owed.isEmpty)
    guard case .idle = snapshot.activity else {
      Issue.record("it runs")
      return
    }
  }

  @Test func `at the start everything is owed for that`() {
    var state = LoopState(backlog: Backlog(images: images), busy: .queue)
    _ = state.begin()
    #expect(owed(state) == ["a": .cause(.start), "b": .cause(.start)])
    #expect(!state.snapshot.isReady)
  }

  @Test func `the cycle under way has what started it, and what it makes`() {
    var state = ready()
    save("/w/a/x", in: &state)
    #expect(owed(state) == ["a": .change("/w/a/x")])
    guard case .building(let cycle) = state.snapshot.activity else {
      Issue.record("it does not run")
      return
    }
    #expect(cycle.number == 2)
    #expect(cycle.cause == .change)
    #expect(cycle.changes.map(\.path) == ["/w/a/x"])
    #expect(cycle.images == ["a"])
    save("/w/b/x", in: &state, unfinished: ["a"])
    #expect(state.snapshot.waitingChanges == 1)
    #expect(owed(state)["b"] == .change("/w/b/x"))
  }

  @Test func `what failed is owed for the failure, until it changes`() {
    var state = ready()
    save("/w/a/x", in: &state)
    var outcome = CycleOutcome()
    outcome.failedBuilds = ["a"]
    _ = state.cycleEnded(outcome)
    #expect(owed(state) == ["a": .buildFailed])
    save("/w/a/x", in: &state)
    #expect(owed(state) == ["a": .change("/w/a/x")])
  }

  @Test func `what a runtime did not take, and what waits for it, are owed for that`() {
    var state = ready()
    save("/w/a/x", in: &state)
    save("/w/b/x", in: &state, unfinished: ["a"])
    var outcome = CycleOutcome()
    outcome.current = ["a"]
    _ = state.cycleEnded(outcome)
    outcome = CycleOutcome()
    outcome.failedLoads = ["b": ["docker"]]
    let actions = state.cycleEnded(outcome)
    #expect(owed(state) == ["b": .loadFailed(["docker"])])
    #expect(state.snapshot.retries.map(\.lane) == [.runtime("docker")])
    #expect(actions.contains { if case .retry = $0 { true } else { false } })
  }

  @Test func `an image keeps what was loaded last though a later build fails`() {
    var state = ready()
    save("/w/a/x", in: &state)
    var event = Event.ImageChanged(image: "a", target: "//a:image", status: .built)
    state.told(.image(event), reaching: .built, at: 1)
    event.status = .loaded
    event.runtime = "docker"
    event.id = "sha256:1"
    state.told(.image(event), reaching: .live, at: 2)
    var outcome = CycleOutcome()
    outcome.current = ["a"]
    _ = state.cycleEnded(outcome)
    save("/w/a/x", in: &state)
    event = Event.ImageChanged(image: "a", target: "//a:image", status: .failed)
    state.told(.image(event), reaching: nil, at: 3)
    outcome = CycleOutcome()
    outcome.failedBuilds = ["a"]
    _ = state.cycleEnded(outcome)
    let image = state.snapshot.images.first
    #expect(image?.latest?.events.map(\.status) == [.failed])
    #expect(image?.latest?.time == 3)
    #expect(image?.loaded?.events.map(\.id) == ["sha256:1"])
    #expect(image?.loaded?.cycle == 2)
  }

  @Test func `the holder of Bazel's lock is known while it is waited for`() {
    var state = ready()
    save("/w/a/x", in: &state)
    let lock = Event.LockAwaited(holder: .init(pid: 7, command: "bazel test"), waitedMs: 5)
    state.told(.lock(lock), reaching: nil, at: 1)
    guard case .building(let cycle) = state.snapshot.activity else {
      Issue.record("it does not run")
      return
    }
    #expect(cycle.lock?.holder?.pid == 7)
    let built = Event.ImageChanged(image: "a", target: "//a:image", status: .built)
    state.told(.image(built), reaching: .built, at: 2)
    guard case .building(let later) = state.snapshot.activity else { return }
    #expect(later.lock == nil)
  }
}
