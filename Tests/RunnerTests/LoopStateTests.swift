import Batching
import SystemPackage
import Testing
import Watcher

@testable import Runner

/// Two images, each of one source: //a:image ← a/x, //b:image ← b/x.
@Suite struct LoopStateTests {
  private let images: [ImageTarget]
  private let index: TargetIndex

  init() throws {
    images = try ["a", "b"].map {
      ImageTarget(
        name: $0, label: try #require(Label("//\($0):image")), key: BatchKey(workspace: "/w"))
    }
    var builder = TargetIndex.Builder(workspace: "/w")
    for name in ["a", "b"] {
      builder.add(.rule(name: "//\(name):image", kind: "image", inputs: ["//\(name):x"]))
      builder.add(.sourceFile(name: "//\(name):x", loads: []))
      builder.add(.sourceFile(name: "//\(name):BUILD", loads: []))
    }
    index = builder.build(images: images)
  }

  private func state(_ busy: BusyPolicy.Choice = .restart) -> LoopState {
    LoopState(backlog: Backlog(images: images), busy: busy)
  }

  private func change(_ path: String) -> Batch {
    Batch(cause: .change, changes: [FileChange(path: FilePath(path), kind: .modified)])
  }

  private func outcome(
    current: Set<String> = [], failedBuilds: Set<String> = [],
    failedLoads: [String: Set<String>] = [:],
    troubled: Set<String> = [], isInterrupted: Bool = false
  ) -> CycleOutcome {
    var outcome = CycleOutcome()
    outcome.current = current
    outcome.failedBuilds = failedBuilds
    outcome.failedLoads = failedLoads
    outcome.troubled = troubled
    outcome.isInterrupted = isInterrupted
    outcome.indexes = isInterrupted ? [] : [index]
    return outcome
  }

  /// A state whose first cycle has built both images.
  private func ready(_ busy: BusyPolicy.Choice = .restart) -> LoopState {
    var state = state(busy)
    _ = state.start(Batch(cause: .start, affectsEverything: true))
    _ = state.cycleEnded(outcome(current: ["a", "b"]))
    return state
  }

  private func considered(_ actions: [LoopState.Action]) -> [Batch] {
    actions.compactMap { if case .consider(let batch) = $0 { batch } else { nil } }
  }

  @Test func `the first cycle owes everything, and its end is the end of start-up`() {
    var state = state()
    let start = state.start(Batch(cause: .start, affectsEverything: true))
    #expect(start?.number == 1)
    #expect(start?.owed == ["a", "b"])
    let actions = state.cycleEnded(outcome(current: ["a", "b"]))
    #expect(actions.contains { if case .tellReady = $0 { true } else { false } })
    #expect(state.backlog.pending.names.isEmpty)
  }

  @Test func `an interrupted first cycle is not the end of start-up, and is run again`() {
    var state = state()
    _ = state.start(Batch(cause: .start, affectsEverything: true))
    let actions = state.cycleEnded(outcome(isInterrupted: true))
    #expect(considered(actions).map(\.cause) == [.start])
    #expect(actions.count == 1)
  }

  @Test func `a change starts a cycle for what it affects`() {
    var state = ready()
    let batch = change("/w/a/x")
    #expect(considered(state.receive(batch, unfinished: [])) == [batch])
    let start = state.start(batch)
    #expect(start?.owed == ["a"])
  }

  @Test func `a change that affects nothing starts nothing`() {
    var state = ready()
    #expect(state.start(change("/w/README.md")) == nil)
  }

  @Test func `what failed is built again with the next batch, not before`() {
    var state = ready()
    _ = state.start(change("/w/a/x"))
    let actions = state.cycleEnded(outcome(failedBuilds: ["a"]))
    #expect(actions.isEmpty)
    #expect(state.start(change("/w/README.md")) == nil)
    #expect(state.start(change("/w/b/x"))?.owed == ["a", "b"])
  }

  @Test func `a change to an image being built interrupts, and both are answered`() {
    var state = ready()
    _ = state.start(change("/w/a/x"))
    let actions = state.receive(change("/w/a/x"), unfinished: ["a"])
    #expect(actions.contains { if case .interrupt = $0 { true } else { false } })
    let next = considered(state.cycleEnded(outcome(isInterrupted: true)))
    #expect(next.count == 1)
    #expect(next.first.flatMap { state.start($0) }?.owed == ["a"])
  }

  @Test func `a change to another image waits for the end of the build`() {
    var state = ready()
    _ = state.start(change("/w/a/x"))
    #expect(state.receive(change("/w/b/x"), unfinished: ["a"]).isEmpty)
    let next = considered(state.cycleEnded(outcome(current: ["a"])))
    #expect(next.first.flatMap { state.start($0) }?.owed == ["b"])
  }

  @Test func `a success does not pay for what changed while it was built`() {
    var state = ready(.queue)
    _ = state.start(change("/w/a/x"))
    _ = state.receive(change("/w/a/x"), unfinished: ["a"])
    let next = considered(state.cycleEnded(outcome(current: ["a"])))
    #expect(next.first.flatMap { state.start($0) }?.owed == ["a"])
  }

  @Test func `an ignored change starts nothing, yet stays owed`() {
    var state = ready(.ignore)
    _ = state.start(change("/w/a/x"))
    _ = state.receive(change("/w/b/x"), unfinished: ["a"])
    #expect(considered(state.cycleEnded(outcome(current: ["a"]))).isEmpty)
    #expect(state.start(change("/w/a/x"))?.owed == ["a", "b"])
  }

  @Test func `a failed load is tried again when the runtime answers`() {
    var state = ready()
    _ = state.start(change("/w/a/x"))
    let actions = state.cycleEnded(outcome(failedLoads: ["a": ["docker"]]))
    #expect(waits(actions) == [.seconds(1)])
    #expect(waits(state.retryDue(isAvailable: false)) == [.seconds(2)])
    let retried = considered(state.retryDue(isAvailable: true))
    #expect(retried.map(\.requested) == [["a"]])
    #expect(retried.first.flatMap { state.start($0) }?.owed == ["a"])
    #expect(state.cycleEnded(outcome(current: ["a"])).isEmpty)
  }

  @Test func `what Bazel did not come to is tried again`() {
    var state = ready()
    _ = state.start(change("/w/a/x"))
    #expect(waits(state.cycleEnded(outcome(troubled: ["a"]))) == [.seconds(1)])
    #expect(considered(state.retryDue(isAvailable: true)).map(\.requested) == [["a"]])
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
    #expect(state.first.changes.map(\.path) == ["/w/a/x"])
    #expect(state.start(state.first)?.owed == ["a", "b"])
    #expect(state.backlog.stale.isEmpty)
  }

  @Test func `a saved index whose graph has changed is asked for again`() {
    var state = restored("/w/a/BUILD")
    _ = state.start(state.first)
    #expect(Array(state.backlog.stale.keys) == ["/w"])
  }

  @Test func `with no build at start, what changed meanwhile and what was owed wait`() {
    var state = restored("/w/a/BUILD", owed: ["b"])
    #expect(state.backlog.stale.count == 1)
    _ = state.postponed([index])
    #expect(state.backlog.stale.isEmpty)
    #expect(state.backlog.pending.names == ["a", "b"])
    #expect(state.start(change("/w/a/x"))?.owed == ["a", "b"])
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
    _ = state.start(change("/w/a/x"))
    _ = state.cycleEnded(outcome(failedBuilds: ["a"]))
    #expect(moments.unsaved(state.backlog)?.owed == ["a"])
  }

  @Test func `an index that is behind is not saved`() {
    var moments = IndexMoments()
    var state = ready()
    moments.adopted(index, at: 7)
    _ = state.start(change("/w/a/BUILD"))
    #expect(moments.unsaved(state.backlog)?.indexes.isEmpty == true)
  }

  private func waits(_ actions: [LoopState.Action]) -> [Duration] {
    actions.compactMap { if case .retry(let wait) = $0 { wait } else { nil } }
  }
}
