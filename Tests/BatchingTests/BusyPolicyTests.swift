import Batching
import Testing

@Suite struct BusyPolicyTests {
  /// What the policy says to changes that all meet the one image being built.
  private func answers(_ policy: inout BusyPolicy, changes: Int) -> [Bool] {
    (0..<changes).map { _ in policy.interrupts(affected: ["api"], unfinished: ["api", "web"]) }
  }

  @Test func `a change to other images never interrupts`() {
    var policy = BusyPolicy(.restart)
    let isInterrupted = policy.interrupts(affected: ["api"], unfinished: ["web"])
    #expect(!isInterrupted)
  }

  @Test func `after two interruptions in a row one build is let finish`() {
    var policy = BusyPolicy(.restart)
    #expect(answers(&policy, changes: 3) == [true, true, false])
    policy.buildFinished()
    #expect(answers(&policy, changes: 1) == [true])
  }

  @Test(arguments: [BusyPolicy.Choice.queue, .ignore])
  func `other choices never interrupt`(choice: BusyPolicy.Choice) {
    var policy = BusyPolicy(choice)
    #expect(answers(&policy, changes: 1) == [false])
  }
}
