import ArgumentParser
import Bazel
import Events
import FoundationEssentials
import Runner
import Testing

@testable import Basics
@testable import watchbuild

struct ProfileTableTests {
  private func cycle(_ number: Int, phases: Bool) throws -> CycleProfile {
    var timings = Event.CycleEnded.Timings()
    timings.windowMs = 30
    timings.bazelMs = 400
    timings.loadMs = 7
    timings.totalMs = 440
    var events = CycleProfile.Builder()
    let batch = Event.BatchClosed(
      cause: "change", changes: [], changeCount: 0, images: ["api"], windowMs: 30)
    _ = events.add(Event(sequence: 1, time: Date(), cycle: number, kind: .batch(batch)))
    var found = BazelPhases()
    found.initMs = 250
    found.executionMs = 100
    found.criticalPathMs = 90
    let ended = Event.CycleEnded(
      status: .ok, ok: 1, failed: 0, timings: timings, bazelCommands: 1,
      phases: phases ? found : nil)
    let last = Event(sequence: 2, time: Date(), cycle: number, kind: .cycle(ended))
    let profile = events.add(last)
    return try #require(profile)
  }

  @Test func `a step is a line and a cycle a column`() throws {
    #expect(
      ProfileTable.lines([try cycle(9, phases: true), try cycle(10, phases: false)]) == [
        "cycle            9   10", "window          30   30", "plan             0    0",
        "launch           0    -", "init           250    -", "patterns         0    -",
        "analysis         0    -", "preparation      0    -", "execution      100    -",
        "finish           0    -", "client          50    -", "bazel            -  400",
        "load             7    7", "total          440  440", "critical path   90    -",
        "images           1    1", "status          ok   ok",
      ])
  }

  @Test func `what caches had part in has lines of its own`() throws {
    var cycle = try cycle(9, phases: true)
    cycle.phases?.remote = RemoteWork()
    cycle.phases?.remote?.downloadMs = 17
    cycle.phases?.remote?.actions.programs = 3
    cycle.phases?.remote?.actions.hits = 2
    let lines = ProfileTable.lines([cycle, try self.cycle(10, phases: false)])
    #expect(lines.contains("hits           2/3    -"))
    #expect(lines.contains("download        17    -"))
    #expect(!lines.contains { $0.hasPrefix("upload") })
  }

  @Test func `cold against warm is a table with ratios`() {
    var (cold, warm) = (BazelPhases(), BazelPhases())
    cold.launchMs = 5444
    warm.launchMs = 51
    cold.analysisMs = 25746
    #expect(
      ProfileTable.lines(ColdWarm.Measured(cold: cold, warm: warm)) == [
        "ms           after shutdown  warm  ratio", "launch                 5444    51  106.7",
        "init                      0     0      -", "patterns                  0     0      -",
        "analysis              25746     0      -", "preparation               0     0      -",
        "execution                 0     0      -", "finish                    0     0      -",
        "total                 31190    51  611.6",
      ])
  }

  @Test func `a server is shut down only after a yes`() throws {
    let question = "This shuts down the server."
    try Consent(isGiven: true, isTerminal: false).ask(question, hint: "")
    #expect(throws: Problem.self) {
      try Consent(isGiven: false, isTerminal: false).ask(question, hint: "pass --yes")
    }
    for answer in ["", "n", "yesterday", nil] {
      #expect(throws: ExitStatus.interrupted) {
        try Consent(isGiven: false, isTerminal: true, answer: { answer }).ask(question, hint: "")
      }
    }
    try Consent(isGiven: false, isTerminal: true, answer: { "Y" }).ask(question, hint: "")
  }

  @Test(arguments: [["--cold-warm", "7"], ["--cold-warm", "--trace", "x"], ["--yes"], ["seven"]])
  func `what does not go together is a usage error`(arguments: [String]) {
    #expect(throws: (any Error).self) { try ProfileCommand.parse(arguments) }
  }
}
