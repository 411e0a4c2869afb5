import SystemPackage
import Testing

@testable import Runner

struct BuildHistoryTests {
  @Test func `a lost cache costs what the cycle took beyond the last warm one`() {
    let history = BuildHistory()
    // Nothing to compare with yet.
    #expect(history.ended(bazelMs: 9000, hasDiscarded: true) == nil)
    #expect(history.ended(bazelMs: 300, hasDiscarded: false) == nil)
    #expect(history.ended(bazelMs: 1700, hasDiscarded: true) == 1400)
    // The dear cycle is not taken for a warm one.
    #expect(history.ended(bazelMs: 1300, hasDiscarded: true) == 1000)
    #expect(history.ended(bazelMs: 200, hasDiscarded: true) == 0)
  }

  @Test func `a server counts as started anew only where it had served before`() {
    let history = BuildHistory()
    #expect(!history.isServed("/w"))
    history.served("/w")
    #expect(history.isServed("/w"))
    #expect(!history.isServed("/v"))
  }
}
