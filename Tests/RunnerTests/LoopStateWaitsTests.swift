import Batching
import Bazel
import Events
import Graph
import SystemPackage
import Testing
import Watcher

@testable import Runner

/// Who waits is told of the files as they were when it asked, or later: //a:image ← a/x, //b:image ← b/x.
@Suite struct LoopStateWaitsTests {
  private let images: [ImageTarget]
  private let index: TargetIndex
  /// The same once a new file of b has joined.
  private let glob: TargetIndex

  init() throws {
    let both = try TwoImages()
    images = both.targets
    index = both.index()
    glob = both.index(with: [
      .rule(name: "//b:image", kind: "image", inputs: ["//b:x", "//b:new"]),
      .sourceFile(name: "//b:new", loads: []),
    ])
  }

  // MARK: What is done and asked

  /// A state whose first cycle has built both images.
  private func ready(_ busy: BusyPolicy.Choice = .restart, isManual: Bool = false) -> LoopState {
    var state = LoopState(backlog: Backlog(images: images), busy: busy, isManual: isManual)
    if isManual {
      _ = state.postponed([index])
    } else {
      _ = state.begin()
      _ = state.cycleEnded(outcome(current: ["a", "b"], indexes: [index]))
    }
    return state
  }

  private func batch(
    _ changes: [(String, FileChange.Kind)] = [], asking requests: Request...
  ) -> Batch {
    var batch = Batch(
      cause: .change,
      changes: changes.map { FileChange(path: FilePath($0.0), kind: $0.1) },
      sightings: changes.map {
        Sighting(path: FilePath($0.0), content: nil, isDuringCommand: false)
      })
    batch.requests = requests
    if requests.contains(where: { if case .trigger = $0.demand { true } else { false } }) {
      batch.isTriggered = true
      batch.cause = .trigger
    }
    return batch
  }

  private func save(_ path: String, _ kind: FileChange.Kind = .modified) -> Batch {
    batch([(path, kind)])
  }

  private func wait(
    _ id: Int, on path: String? = nil, isMissing: Bool = false, upTo stage: Stage = .live
  ) -> Request {
    let subject = path.map { Question.Subject.paths([FilePath($0)]) } ?? .everything
    return Request(
      id: id,
      demand: .wait(
        Question(subject, missing: isMissing ? [FilePath(path ?? "")] : [], upTo: stage)))
  }

  private func trigger(_ id: Int, _ images: Set<String> = [], upTo stage: Stage? = .live) -> Request
  {
    Request(id: id, demand: .trigger(images, upTo: stage))
  }

  private func outcome(
    current: Set<String> = [], failedBuilds: Set<String> = [],
    failedLoads: [String: Set<String>] = [:], troubled: Set<String> = [],
    unfinished: Set<String> = [], isInterrupted: Bool = false, indexes: [TargetIndex] = []
  ) -> CycleOutcome {
    var outcome = CycleOutcome()
    outcome.current = current
    outcome.failedBuilds = failedBuilds
    outcome.failedLoads = failedLoads
    outcome.troubled = troubled
    outcome.unfinished = unfinished
    outcome.isInterrupted = isInterrupted
    outcome.indexes = indexes
    return outcome
  }

  /// What a signal leads to: the verdict of each request that it answers.
  private func answers(_ state: inout LoopState, after actions: [LoopState.Action]) -> [Int: Answer]
  {
    (actions + state.answers()).reduce(into: [:]) { answers, action in
      if case .answer(let id, let answer) = action { answers[id] = answer }
    }
  }

  private func verdicts(
    _ state: inout LoopState, after actions: [LoopState.Action]
  ) -> [Int: Verdict.Kind] {
    answers(&state, after: actions).compactMapValues {
      if case .verdict(let verdict) = $0 { verdict.verdict } else { nil }
    }
  }

  private func receive(
    _ state: inout LoopState, _ batch: Batch, unfinished: Set<String> = []
  ) -> [Int: Verdict.Kind] {
    let actions = state.receive(batch, unfinished: unfinished)
    return verdicts(&state, after: actions)
  }

  private func end(_ state: inout LoopState, _ outcome: CycleOutcome) -> [Int: Verdict.Kind] {
    let actions = state.cycleEnded(outcome)
    return verdicts(&state, after: actions)
  }

  // MARK: One save

  @Test func `a file that no image depends on is answered at once`() {
    var state = ready()
    #expect(receive(&state, batch(asking: wait(1, on: "/w/README.md"))) == [1: .unaffected])
  }

  @Test func `a file whose image is what it gives is answered at once`() {
    var state = ready()
    #expect(receive(&state, batch(asking: wait(1, on: "/w/a/x"))) == [1: .ok])
  }

  @Test func `a save is waited for until its image is there, whether it comes with it or before`() {
    for isTogether in [true, false] {
      var state = ready()
      if isTogether {
        let both = batch([("/w/a/x", .modified)], asking: wait(1, on: "/w/a/x"))
        #expect(receive(&state, both) == [:])
      } else {
        _ = receive(&state, save("/w/a/x"))
        #expect(receive(&state, batch(asking: wait(1, on: "/w/a/x")), unfinished: ["a"]) == [:])
      }
      #expect(end(&state, outcome(current: ["a"])) == [1: .ok])
    }
  }

  @Test func `another image's save is not waited for`() {
    var state = ready()
    _ = receive(&state, save("/w/b/x"))
    #expect(
      receive(&state, batch(asking: wait(1, on: "/w/a/x"), wait(2)), unfinished: ["b"]) == [1: .ok])
    #expect(end(&state, outcome(current: ["b"])) == [2: .ok])
  }

  @Test func `a failed build is told to who waited for it and to who asks later`() {
    var state = ready()
    _ = receive(&state, batch([("/w/a/x", .modified)], asking: wait(1, on: "/w/a/x")))
    #expect(end(&state, outcome(failedBuilds: ["a"])) == [1: .failed])
    #expect(
      receive(&state, batch(asking: wait(2, on: "/w/a/x"), wait(3), wait(4, on: "/w/b/x")))
        == [2: .failed, 3: .failed, 4: .ok])
  }

  @Test func `what failed before a save does not answer for it`() {
    var state = ready()
    _ = receive(&state, save("/w/a/x"))
    _ = end(&state, outcome(failedBuilds: ["a"]))
    let mended = batch([("/w/a/x", .modified)], asking: wait(1, on: "/w/a/x"))
    #expect(receive(&state, mended) == [:])
    #expect(end(&state, outcome(current: ["a"])) == [1: .ok])
  }

  // MARK: While a build runs

  @Test func `a build that began before the save does not answer for it`() {
    var state = ready(.queue)
    _ = receive(&state, save("/w/a/x"))
    let second = batch([("/w/a/x", .modified)], asking: wait(1, on: "/w/a/x"))
    #expect(receive(&state, second, unfinished: ["a"]) == [:])
    #expect(end(&state, outcome(current: ["a"])) == [:])
    #expect(end(&state, outcome(current: ["a"])) == [1: .ok])
  }

  @Test func `a save that another overtakes is answered by the build that has it`() {
    var state = ready(.queue)
    _ = receive(&state, batch([("/w/a/x", .modified)], asking: wait(1, on: "/w/a/x")))
    _ = receive(&state, save("/w/a/x"), unfinished: ["a"])
    #expect(end(&state, outcome(current: ["a"])) == [1: .ok])
  }

  @Test func `an interrupted build answers only for what it had finished`() {
    var state = ready()
    _ = receive(
      &state,
      batch(
        [("/w/a/x", .modified), ("/w/b/x", .modified)],
        asking: wait(1, on: "/w/a/x"), wait(2, on: "/w/b/x")))
    _ = receive(&state, save("/w/b/x"), unfinished: ["b"])
    #expect(end(&state, outcome(current: ["a"], isInterrupted: true)) == [1: .ok])
    #expect(end(&state, outcome(current: ["b"])) == [2: .ok])
  }

  @Test
  func `a save that is undone while its image is built is answered by that build or a later one`() {
    var state = ready(.queue)
    _ = receive(&state, save("/w/a/x"))
    // No news: the batch is left with the question alone.
    #expect(receive(&state, batch(asking: wait(1, on: "/w/a/x")), unfinished: ["a"]) == [:])
    #expect(end(&state, outcome(current: ["a"])) == [1: .ok])
  }

  @Test
  func `a failure of a state that has changed since is told to who asked for that state alone`() {
    var state = ready(.queue)
    _ = receive(&state, batch([("/w/a/x", .modified)], asking: wait(1, on: "/w/a/x")))
    let later = batch([("/w/a/x", .modified)], asking: wait(2, on: "/w/a/x"))
    _ = receive(&state, later, unfinished: ["a"])
    #expect(end(&state, outcome(failedBuilds: ["a"])) == [1: .failed])
    #expect(end(&state, outcome(current: ["a"])) == [2: .ok])
  }

  @Test func `an image that a build left out without a change has failed`() {
    var state = ready()
    _ = receive(&state, batch([("/w/a/x", .modified)], asking: wait(1, on: "/w/a/x")))
    #expect(end(&state, outcome(unfinished: ["a"])) == [1: .failed])
  }

  @Test func `trouble that is no fault of the image is an answer only when it lasts`() {
    var state = ready()
    _ = receive(&state, batch([("/w/a/x", .modified)], asking: wait(1, on: "/w/a/x")))
    #expect(end(&state, outcome(troubled: ["a"])) == [:])
    // Who asks between the tries waits for the next one, too.
    #expect(receive(&state, batch(asking: wait(2, on: "/w/a/x"))) == [:])
    _ = state.retryDue(.bazel, isAvailable: true)
    #expect(end(&state, outcome(troubled: ["a"])) == [1: .failed, 2: .failed])
    _ = state.retryDue(.bazel, isAvailable: true)
    _ = end(&state, outcome(current: ["a"]))
    _ = receive(&state, batch([("/w/a/x", .modified)], asking: wait(3, on: "/w/a/x")))
    #expect(end(&state, outcome(troubled: ["a"])) == [:])
    _ = state.retryDue(.bazel, isAvailable: true)
    #expect(end(&state, outcome(current: ["a"])) == [3: .ok])
  }

  @Test func `a load that a change ended is no failure`() {
    var state = ready(.queue)
    _ = receive(&state, batch([("/w/a/x", .modified)], asking: wait(1, on: "/w/a/x")))
    _ = receive(&state, save("/w/a/x"), unfinished: ["a"])
    #expect(end(&state, outcome(unfinished: ["a"])) == [:])
    #expect(end(&state, outcome(current: ["a"])) == [1: .ok])
  }

  // MARK: Stages

  @Test func `a built image answers who waits for no more, also where its load fails`() {
    var state = ready()
    _ = receive(
      &state,
      batch(
        [("/w/a/x", .modified)], asking: wait(1, on: "/w/a/x", upTo: .built),
        wait(2, on: "/w/a/x", upTo: .loaded)))
    #expect(end(&state, outcome(failedLoads: ["a": ["docker"]])) == [1: .ok, 2: .failed])
  }

  @Test func `an image answers as soon as it is there, while others are being built`() {
    var state = ready()
    _ = receive(
      &state,
      batch(
        [("/w/a/x", .modified), ("/w/b/x", .modified)],
        asking: wait(1, on: "/w/a/x"), wait(2, on: "/w/a/x", upTo: .built), wait(3)))
    let event = Event.ImageChanged(image: "a", target: "//a:image", status: .built)
    state.told(.image(event), reaching: .built, at: 1)
    #expect(verdicts(&state, after: []) == [2: .ok])
    state.told(.image(event), reaching: .live, at: 1)
    #expect(verdicts(&state, after: []) == [1: .ok])
    #expect(end(&state, outcome(current: ["a", "b"])) == [3: .ok])
  }

  // MARK: The graph

  @Test func `a new file is waited for until the graph tells whose it is`() {
    var state = ready()
    let new = batch([("/w/b/new", .created)], asking: wait(1, on: "/w/b/new"))
    #expect(receive(&state, new) == [:])
    _ = state.refreshed([glob])
    #expect(verdicts(&state, after: []) == [:])
    #expect(end(&state, outcome(current: ["b"])) == [1: .ok])
  }

  @Test func `a new file that turns out to be nobody's is answered as such, before the build ends`()
  {
    var state = ready()
    let new = batch([("/w/b/new", .created)], asking: wait(1, on: "/w/b/new"))
    #expect(receive(&state, new) == [:])
    _ = state.refreshed([index])
    #expect(verdicts(&state, after: []) == [1: .unaffected])
  }

  @Test func `a deleted file is waited for although the new graph knows nothing of it`() {
    var state = ready()
    _ = end(&state, outcome(current: [], indexes: [glob]), unless: true)
    let gone = batch([("/w/b/new", .deleted)], asking: wait(1, on: "/w/b/new", isMissing: true))
    #expect(receive(&state, gone) == [:])
    _ = state.refreshed([index])
    #expect(verdicts(&state, after: []) == [:])
    #expect(end(&state, outcome(current: ["b"])) == [1: .ok])
    // And whoever asks when all is over is answered, too.
    let late = batch(asking: wait(2, on: "/w/b/new", isMissing: true))
    #expect(receive(&state, late) == [2: .ok])
  }

  /// Builds once more with another graph.
  private func end(
    _ state: inout LoopState, _ outcome: CycleOutcome, unless: Bool
  ) -> [Int: Verdict.Kind] {
    _ = receive(&state, save("/w/b/BUILD"))
    _ = state.refreshed(outcome.indexes)
    return end(&state, self.outcome(current: ["a", "b"]))
  }

  @Test
  func `while a build runs, a new file that waits for the next one is not taken for nobody's`() {
    var state = ready(.queue)
    _ = receive(&state, save("/w/a/BUILD"))
    let new = batch([("/w/b/new", .created)], asking: wait(1, on: "/w/b/new"))
    #expect(receive(&state, new, unfinished: ["a"]) == [:])
    // The query of the cycle under way may have been before the file came.
    _ = state.refreshed([index])
    #expect(verdicts(&state, after: []) == [:])
    #expect(end(&state, outcome(current: ["a"])) == [:])
    _ = state.refreshed([glob])
    #expect(end(&state, outcome(current: ["b"])) == [1: .ok])
  }

  @Test func `before the graph is known any file is waited for`() {
    var state = LoopState(backlog: Backlog(images: images), busy: .restart)
    _ = state.begin()
    #expect(receive(&state, batch(asking: wait(1, on: "/w/a/x")), unfinished: ["a", "b"]) == [:])
    _ = state.refreshed([index])
    #expect(end(&state, outcome(current: ["a"], failedBuilds: ["b"])) == [1: .ok])
  }

  @Test func `a path that is neither there nor known is told as such`() {
    var state = ready()
    let actions = state.receive(
      batch(asking: wait(1, on: "/w/nowhere", isMissing: true)), unfinished: [])
    guard case .unknownPaths(let paths) = answers(&state, after: actions)[1] else {
      Issue.record("no such answer")
      return
    }
    #expect(paths == ["/w/nowhere"])
  }

  // MARK: Configuration

  @Test func `a save that comes while the configuration is read is waited for`() {
    let definitions = Definitions {
      $0.lastComponent?.string == "watchbuild.yaml" ? .configuration : []
    }
    var state = LoopState(
      backlog: Backlog(images: images), busy: .restart, definitions: definitions)
    _ = state.begin()
    _ = state.cycleEnded(outcome(current: ["a", "b"], indexes: [index]))
    _ = receive(&state, save("/w/watchbuild.yaml"))
    let change = batch([("/w/a/x", .modified)], asking: wait(1, on: "/w/a/x"), wait(2))
    #expect(receive(&state, change) == [:])
    let actions = state.readingEnded()
    #expect(verdicts(&state, after: actions) == [:])
    #expect(end(&state, outcome(current: ["a"])) == [1: .ok, 2: .ok])
  }

  // MARK: Trigger

  @Test func `a trigger builds what is named, and answers for it`() {
    var state = ready()
    var both = batch(asking: trigger(1, ["a"]))
    both.requested = ["a"]
    let actions = state.receive(both, unfinished: [])
    #expect(started(actions)?.owed == ["a"])
    #expect(verdicts(&state, after: actions) == [:])
    #expect(end(&state, outcome(current: ["a"])) == [1: .ok])
  }

  @Test func `a trigger builds what failed again, and nothing where nothing is owed`() {
    var state = ready()
    #expect(receive(&state, batch(asking: trigger(1))) == [1: .ok])
    _ = receive(&state, save("/w/a/x"))
    _ = end(&state, outcome(failedBuilds: ["a"]))
    let actions = state.receive(batch(asking: trigger(2)), unfinished: [])
    #expect(started(actions)?.owed == ["a"])
    #expect(verdicts(&state, after: actions) == [:], "it failed before it was asked for again")
    #expect(end(&state, outcome(current: ["a"])) == [2: .ok])
  }

  @Test func `a trigger of an image that there is not names those that there are`() {
    var state = ready()
    let actions = state.receive(batch(asking: trigger(1, ["c"])), unfinished: [])
    guard case .unknownImages(let names, let known) = answers(&state, after: actions)[1] else {
      Issue.record("no such answer")
      return
    }
    #expect(names == ["c"])
    #expect(known == ["a", "b"])
  }

  private func started(_ actions: [LoopState.Action]) -> LoopState.Start? {
    actions.lazy.compactMap { if case .start(let start) = $0 { start } else { nil } }.first
  }

  // MARK: Holding

  private func request(_ id: Int, _ demand: Request.Demand) -> Batch {
    batch(asking: Request(id: id, demand: demand))
  }

  @Test func `while builds are held saves are owed, and built when that ends`() {
    var state = ready()
    let paused = state.receive(request(1, .pause), unfinished: [])
    #expect(paused.contains { if case .tellPaused = $0 { true } else { false } })
    #expect(started(state.receive(save("/w/a/x"), unfinished: [])) == nil)
    #expect(state.backlog.pending.names == ["a"])
    #expect(
      receive(&state, batch(asking: wait(2, on: "/w/a/x"), wait(3, on: "/w/b/x"))) == [3: .ok])
    let resumed = state.receive(request(4, .resume), unfinished: [])
    #expect(started(resumed)?.owed == ["a"])
    #expect(end(&state, outcome(current: ["a"])) == [2: .ok])
  }

  @Test func `a save that comes with the pause is held, too`() {
    var state = ready()
    let both = batch([("/w/a/x", .modified)], asking: Request(id: 1, demand: .pause))
    #expect(started(state.receive(both, unfinished: [])) == nil)
    #expect(state.backlog.pending.names == ["a"])
  }

  @Test func `a trigger builds while builds are held, and holds what comes later`() {
    var state = ready()
    _ = state.receive(request(1, .pause), unfinished: [])
    _ = state.receive(save("/w/a/x"), unfinished: [])
    #expect(started(state.receive(batch(asking: trigger(2)), unfinished: []))?.owed == ["a"])
    _ = state.receive(save("/w/b/x"), unfinished: ["a"])
    let ended = state.cycleEnded(outcome(current: ["a"]))
    #expect(started(ended) == nil)
    #expect(verdicts(&state, after: ended) == [2: .ok])
    #expect(state.backlog.pending.names == ["b"])
  }

  @Test func `what is told twice is paused once`() {
    var state = ready()
    _ = state.receive(request(1, .pause), unfinished: [])
    let again = state.receive(request(2, .pause), unfinished: [])
    #expect(!again.contains { if case .tellPaused = $0 { true } else { false } })
    #expect(again.contains { if case .answer(2, .accepted) = $0 { true } else { false } })
  }

  @Test func `with the manual trigger only a trigger builds`() {
    var state = ready(isManual: true)
    #expect(started(state.receive(save("/w/a/x"), unfinished: [])) == nil)
    #expect(receive(&state, batch(asking: wait(1, on: "/w/a/x"))) == [:])
    #expect(started(state.receive(batch(asking: trigger(2)), unfinished: []))?.owed == ["a"])
    #expect(end(&state, outcome(current: ["a"])) == [1: .ok, 2: .ok])
  }

  @Test func `while builds are held a new file stays a question`() {
    var state = ready()
    _ = state.receive(request(1, .pause), unfinished: [])
    let new = batch([("/w/b/new", .created)], asking: wait(2, on: "/w/b/new"))
    #expect(receive(&state, new) == [:])
    _ = state.receive(request(3, .resume), unfinished: [])
    _ = state.refreshed([index])
    #expect(verdicts(&state, after: []) == [2: .unaffected])
  }

  @Test func `whoever has gone is forgotten`() {
    var state = ready()
    _ = receive(&state, batch([("/w/a/x", .modified)], asking: wait(1, on: "/w/a/x")))
    state.waits.forget([1])
    #expect(state.snapshot.waits == 0)
    #expect(end(&state, outcome(current: ["a"])) == [:])
  }

  // MARK: What is told

  @Test func `a verdict has the images' results and the mistakes that hold them up`() throws {
    var state = ready()
    _ = receive(&state, batch([("/w/a/x", .modified)], asking: wait(1, on: "/w/a/x")))
    var failed = Event.ImageChanged(image: "a", target: "//a:image", status: .failed)
    failed.error = "no"
    for image in ["a", "b"] {
      let mistake = Diagnostic(
        file: "\(image)/x", line: 1, column: 2, severity: .error, message: "bad")
      state.told(.diagnostic(Event.Diagnosed(mistake, image: image)), reaching: nil, at: 1)
    }
    state.told(.image(failed), reaching: nil, at: 1)
    let actions = state.cycleEnded(outcome(failedBuilds: ["a"]))
    guard case .verdict(let verdict) = answers(&state, after: actions)[1] else {
      Issue.record("no verdict")
      return
    }
    #expect(verdict.cycle == 2)
    #expect(verdict.images.map(\.error) == ["no"])
    #expect(verdict.diagnostics.map(\.file) == ["a/x"])
  }
}
