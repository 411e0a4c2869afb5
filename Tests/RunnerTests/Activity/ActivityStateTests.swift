import FoundationEssentials
import TestSupport
import Testing

@testable import Events
@testable import Runner

struct ActivityStateTests {
  private func event(_ kind: Event.Kind, cycle: Int? = 7) -> Event {
    Event(sequence: 1, time: Date(timeIntervalSince1970: 0), cycle: cycle, kind: kind)
  }

  private func batch(_ images: [String], cause: String = "change") -> Event {
    event(
      .batch(
        Event.BatchClosed(
          cause: cause, changes: [], changeCount: 0, images: images, windowMs: 30)))
  }

  private func ended(_ ms: Int, status: Event.CycleEnded.Status = .ok) -> Event {
    var timings = Event.CycleEnded.Timings()
    timings.totalMs = ms
    return event(
      .cycle(
        Event.CycleEnded(status: status, ok: 1, failed: 0, timings: timings, bazelCommands: 1)))
  }

  private let build = Event.Kind.build(
    Event.BuildStarted(targets: [], images: ["a", "b"], key: "", command: []))

  private func image(_ name: String, _ status: Event.ImageChanged.Status) -> Event {
    var image = Event.ImageChanged(image: name, target: "//\(name):i", status: status)
    image.runtime = "docker"
    return event(.image(image))
  }

  @Test func `a run starts, and is at rest once it is ready`() {
    var state = ActivityState()
    #expect(state.activity(at: .seconds(3))?.phase == .start)
    #expect(state.activity(at: .seconds(3))?.elapsedMs == 3000)
    state.add(event(.ready), at: .seconds(4))
    #expect(state.activity(at: .seconds(5)) == nil)
  }

  @Test func `a build tells how many actions are done, and which one runs`() throws {
    var state = ActivityState()
    state.add(batch(["a", "b"]), at: .seconds(10))
    #expect(state.activity(at: .seconds(10))?.phase == .query)
    state.add(event(build), at: .seconds(10))
    state.add(progress: "[3 / 9] Compiling a.c; 2s linux-sandbox", at: .seconds(12))
    let activity = try #require(state.activity(at: .seconds(13)))
    #expect(activity.phase == .build)
    #expect([activity.done, activity.total] == [3, 9])
    #expect(activity.running.map { "\($0.what) \($0.ms)" } == ["Compiling a.c 3000"])
    #expect(activity.elapsedMs == 3030)
    #expect(state.cycle == 7)
  }

  @Test func `what Bazel says before its actions is told as it is`() throws {
    var state = ActivityState()
    state.add(progress: "Starting local Bazel server and connecting to it...", at: .seconds(1))
    #expect(
      state.activity(at: .seconds(4))?.running.map(\.what)
        == ["Starting local Bazel server and connecting to it..."])
  }

  @Test func `a lock is told while it is held`() {
    var state = ActivityState()
    state.add(batch(["a"]), at: .zero)
    state.add(event(build), at: .zero)
    state.add(event(.lock(Event.LockAwaited(holder: nil, waitedMs: 0))), at: .seconds(1))
    #expect(state.activity(at: .seconds(2))?.phase == .lock)
    state.add(progress: "Loading: ", at: .seconds(2))
    #expect(state.activity(at: .seconds(2))?.phase == .build)
  }

  @Test func `loads go on when the build has ended`() throws {
    var state = ActivityState()
    state.add(batch(["a", "b"]), at: .zero)
    state.add(event(build), at: .zero)
    state.add(
      event(
        .progress(
          Event.LoadProgressed(
            image: "a", runtime: "docker", ref: "a:dev", bytesSent: 1, bytesTotal: 2,
            bytesPerSecond: 1, layersSent: 0, layersTotal: 1))), at: .seconds(3))
    state.buildEnded()
    state.add(image("b", .loaded), at: .seconds(4))
    let activity = try #require(state.activity(at: .seconds(5)))
    #expect(activity.phase == .load)
    #expect([activity.done, activity.total] == [1, 2])
    #expect(activity.running.map { "\($0.what) \($0.ms)" } == ["a → docker 3000"])
    state.add(image("a", .loaded), at: .seconds(6))
    #expect(state.activity(at: .seconds(6))?.running.isEmpty == true)
    state.add(ended(6000), at: .seconds(6))
    #expect(state.activity(at: .seconds(7)) == nil)
  }

  @Test func `the median of the latest cycles is usual, and interrupted ones do not count`() {
    var state = ActivityState()
    for ms in [9000, 1000, 2000, 3000] {
      state.add(batch(["a"]), at: .zero)
      state.add(ended(ms, status: ms == 9000 ? .cancelled : .ok), at: .zero)
    }
    state.add(batch(["a"]), at: .zero)
    #expect(state.activity(at: .zero)?.usualMs == 2000)
    state.add(ended(1), at: .zero)
    state.add(batch(["a"], cause: "start"), at: .zero)
    #expect(state.activity(at: .zero)?.usualMs == nil)
  }

  @Test func `saves wait until a batch or a look takes them`() {
    var state = ActivityState()
    state.add(batch(["a"]), at: .zero)
    state.saved("b/x")
    state.saved("README.md")
    state.saved("b/x")
    #expect(state.activity(at: .zero)?.queued == ["b/x", "README.md"])
    let change = Event.BatchClosed.Change(path: "README.md", kind: "modified")
    state.add(
      event(.unaffected(Event.Unaffected(changes: [change], changeCount: 1))), at: .zero)
    #expect(state.activity(at: .zero)?.queued == ["b/x"])
    state.add(batch(["b"]), at: .zero)
    #expect(state.activity(at: .zero)?.queued == [])
  }

  @Test func `a question outside a cycle is told, and one in it changes nothing`() {
    var state = ActivityState()
    state.add(event(.ready), at: .zero)
    state.reading(true, at: .seconds(1))
    #expect(state.activity(at: .seconds(2))?.phase == .query)
    state.reading(false, at: .seconds(3))
    #expect(state.activity(at: .seconds(3)) == nil)
    state.add(batch(["a"]), at: .seconds(4))
    state.add(event(build), at: .seconds(4))
    state.reading(true, at: .seconds(5))
    state.reading(false, at: .seconds(6))
    #expect(state.activity(at: .seconds(6))?.phase == .build)
  }

  @Test(.timeLimit(.minutes(1)))
  func `while something runs it is told each second`() async {
    let (clock, hub) = (ManualClock(), EventHub(now: { Date(timeIntervalSince1970: 0) }))
    let board = ActivityBoard(clock: clock)
    let telling = Task { await board.tell(hub, clock: clock) }
    for second in 1...3 {
      await clock.waitForSleepers()
      clock.advance(by: .seconds(1))
      while hub.recorded.count < second { await Task.yield() }
    }
    telling.cancel()
    await telling.value
    let told = hub.recorded.compactMap {
      if case .activity(let activity) = $0.kind { activity.elapsedMs } else { nil }
    }
    #expect(told == [1000, 2000, 3000])
  }

  @Test(.timeLimit(.minutes(1)))
  func `at rest nothing is told until a cycle begins`() async {
    let (clock, hub) = (ManualClock(), EventHub(now: { Date(timeIntervalSince1970: 0) }))
    let board = ActivityBoard(clock: clock)
    hub.record(.ready)
    let telling = Task { await board.tell(hub, clock: clock) }
    // A second may have begun before it was known to be ready.
    while hub.waitingCount == 0 { await Task.yield() }
    clock.advance(by: .seconds(1))
    hub.record(batch(["a"]).kind, cycle: 7)
    await clock.waitForSleepers()
    clock.advance(by: .seconds(1))
    while !hub.recorded.contains(where: { $0.type == "activity" }) { await Task.yield() }
    telling.cancel()
    await telling.value
    #expect(hub.recorded.map(\.type).prefix(3) == ["ready", "batch", "activity"])
    #expect(hub.recorded.dropFirst().allSatisfy { $0.cycle == 7 })
  }
}
