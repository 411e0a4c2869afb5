import FoundationEssentials
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Basics
@testable import Bazel
@testable import Events
@testable import Runner

struct ProfileStoreTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func event(_ kind: Event.Kind, cycle: Int, at seconds: Double) -> Event {
    Event(
      sequence: 1, time: Date(timeIntervalSince1970: 1_800_000_000 + seconds), cycle: cycle,
      kind: kind)
  }

  private func play(_ cycle: Int, at start: Double, in store: ProfileStore) throws {
    store.record(
      event(
        .batch(
          Event.BatchClosed(
            cause: "change", changes: [], changeCount: 1, images: ["api"], windowMs: 30)),
        cycle: cycle, at: start + 0.03))
    store.record(
      event(
        .build(Event.BuildStarted(targets: [], images: ["api"], key: "", command: [])),
        cycle: cycle, at: start + 0.04))
    let file = try directory.write(BazelProfileTests.recorded, to: "build-profile.json")
    let profile = try #require(BazelProfile.read(file))
    store.add(
      profile, of: 1, cycle: cycle, elapsed: .milliseconds(600), lockWaited: .milliseconds(200))
    var image = Event.ImageChanged(image: "api", target: "//api:image", status: .loaded)
    image.ms = 100
    image.runtime = "docker"
    store.record(event(.image(image), cycle: cycle, at: start + 0.8))
    var timings = Event.CycleEnded.Timings()
    timings.windowMs = 30
    timings.lockMs = 200
    timings.bazelMs = 400
    timings.loadMs = 150
    timings.totalMs = 800
    store.record(
      event(
        .cycle(
          Event.CycleEnded(
            status: .ok, ok: 1, failed: 0, timings: timings, bazelCommands: 1,
            phases: profile.phases)), cycle: cycle, at: start + 0.81))
  }

  @Test func `a cycle's steps make up its way from save to live`() throws {
    try play(7, at: 0, in: ProfileStore(in: directory.path))
    let run = try #require(try ProfileStore.latest(in: directory.path))
    let cycle = try #require(run.cycles.first)
    #expect(cycle.cycle == 7)
    #expect(
      cycle.steps.map { "\($0.name) \($0.ms)" } == [
        "window 30", "plan 0", "lock 200", "launch 42", "init 132", "patterns 23", "analysis 40",
        "preparation 28", "execution 67", "finish 4", "client 64", "load 150", "rollout 0",
      ])
    #expect(
      cycle.spans == [
        .init(name: "window", track: "cycle", startMs: 0, ms: 30),
        .init(name: "lock", track: "cycle", startMs: 40, ms: 200),
        .init(name: "bazel build", track: "cycle", startMs: 240, ms: 400),
        .init(name: "loaded → docker", track: "api", startMs: 700, ms: 100),
      ])
    #expect(cycle.builds == [.init(trace: "cycle-7-bazel-1.json", startMs: 282)])
  }

  @Test func `only the latest cycles are kept`() throws {
    let store = ProfileStore(in: directory.path)
    for cycle in 1...23 { try play(cycle, at: Double(cycle), in: store) }
    let run = try #require(try ProfileStore.latest(in: directory.path))
    #expect(run.cycles.map(\.cycle) == Array(4...23))
    #expect(access(run.directory.appending("cycle-3-bazel-1.json").string, F_OK) != 0)
    #expect(access(run.directory.appending("cycle-4-bazel-1.json").string, F_OK) == 0)
  }

  @Test func `what another run left and nobody reads goes, and damage hides no other cycle`() throws
  {
    for process in 0..<5 {
      // No process has such a number.
      try directory.write("{}", to: "run-\(2_000_000_000 + process)/cycle-1.json")
    }
    try play(1, at: 0, in: ProfileStore(in: directory.path))
    var runs: [String] = []
    DirectoryEntries.forEach(in: directory.path) { name, _ in runs.append(String(cString: name)) }
    #expect(runs.filter { $0.hasPrefix("run-") }.count == 4)
    #expect(try ProfileStore.latest(in: directory.path)?.cycles.count == 1)
  }

  @Test func `nowhere to write is no failure`() throws {
    let store = ProfileStore(in: "/proc/no-such-directory")
    try play(1, at: 0, in: store)
    #expect(try ProfileStore.latest(in: "/proc/no-such-directory") == nil)
  }

  @Test func `a trace holds our spans and Bazel's events on one line of time`() throws {
    struct Trace: Decodable {
      struct Entry: Decodable {
        var name: String
        var ph: String
        var ts: Int?
        var pid: Int
      }
      var traceEvents: [Entry]
    }

    let store = ProfileStore(in: directory.path)
    try play(1, at: 0, in: store)
    try play(2, at: 5, in: store)
    let run = try #require(try ProfileStore.latest(in: directory.path))
    let path = directory.appending("trace.json")
    let file = try FileDescriptor.open(
      path, .writeOnly, options: .create, permissions: .ownerReadWrite)
    try file.closeAfter { try ChromeTrace(of: run.cycles, in: run).write(to: file) }
    let bytes = try #require(SmallFile.start(of: path, limit: 1 << 20))
    let trace = try JSONDecoder().decode(Trace.self, from: Data(bytes))
    let starts = trace.traceEvents.filter { $0.name == "cycle 1" || $0.name == "cycle 2" }
    #expect(starts.map(\.ts) == [0, 5_000_000])
    let artifacts = trace.traceEvents.filter { $0.name == "Build artifacts" }
    #expect(artifacts.map(\.ts) == [282_000 + 222_926, 5_282_000 + 222_926])
    #expect(Set(artifacts.map(\.pid)) == [2, 3])
    // What Bazel wrote before its own zero stays within the cycle.
    #expect(trace.traceEvents.compactMap(\.ts).allSatisfy { $0 >= 0 })
  }
}
