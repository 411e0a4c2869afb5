import Basics
import Batching
import Graph
import SystemPackage
import TestSupport
import Testing
import Watcher

@Suite struct BatchWindowTests {
  private typealias Window = BatchWindow<ManualClock.Instant>

  private func window() -> Window {
    Window(limits: .init(debounce: .milliseconds(30), maxDelay: .milliseconds(500)))
  }

  private func at(_ milliseconds: Int) -> ManualClock.Instant {
    ManualClock.Instant(offset: .milliseconds(milliseconds))
  }

  private func change(_ path: String, _ kind: FileChange.Kind = .modified) -> WatchEvent {
    .changed(FileChange(path: .init(path), kind: kind))
  }

  @Test func `nothing happened, so there is no deadline`() {
    #expect(window().deadline == nil)
  }

  @Test func `the window closes after so long without change`() {
    var window = window()
    window.add(change("/w/a"), at: at(0))
    let early = window.close(at: at(29))
    #expect(early == nil)
    let batch = window.close(at: at(30))
    #expect(batch?.changes == [FileChange(path: "/w/a", kind: .modified)])
    #expect(batch?.window == .milliseconds(30))
    #expect(window.deadline == nil)
  }

  @Test func `each change moves the deadline`() {
    var window = window()
    window.add(change("/w/a"), at: at(0))
    window.add(change("/w/b"), at: at(20))
    #expect(window.deadline == at(50))
  }

  @Test func `a steady stream cannot hold the window past its longest delay`() {
    var window = window()
    for time in stride(from: 0, through: 490, by: 10) {
      window.add(change("/w/\(time)"), at: at(time))
    }
    #expect(window.deadline == at(500))
    let closed = window.close(at: at(500))
    #expect(closed?.changes.count == 50)
  }

  @Test func `a path that changed twice is one change`() {
    var window = window()
    window.add(change("/w/a", .created), at: at(0))
    window.add(change("/w/a", .modified), at: at(1))
    let closed = window.close(at: at(31))
    #expect(closed?.changes == [FileChange(path: "/w/a", kind: .created)])
  }

  @Test func `an overflow affects everything`() {
    var window = window()
    window.add(.overflowed(reason: "queue full"), at: at(0))
    let batch = window.close(at: at(30))
    #expect(batch?.affectsEverything == true)
    #expect(batch?.cause == .overflow)
  }

  @Test func `a request closes the window at once`() {
    var window = window()
    window.add(change("/w/a"), at: at(0))
    window.take(Request(id: 1, demand: .trigger(["api"], upTo: nil)), at: at(5))
    let batch = window.close(at: at(5))
    #expect(batch?.cause == .trigger)
    #expect(batch?.requested == ["api"])
    #expect(batch?.changes.count == 1)
  }

  @Test func `version control holds the window open, with a bound`() {
    var window = window()
    window.add(change("/w/a"), at: at(0))
    let early = window.close(at: at(30), isHeld: true)
    #expect(early == nil)
    #expect(window.deadline == at(60))
    let held = window.close(at: at(9_999), isHeld: true)
    #expect(held == nil)
    let closed = window.close(at: at(10_000), isHeld: true)
    #expect(closed?.changes.count == 1)
    #expect(closed?.isHoldOverdue == true)
  }

  @Test func `a window that nothing holds is not overdue`() {
    var window = window()
    window.add(change("/w/a"), at: at(0))
    _ = window.close(at: at(30), isHeld: true)
    let closed = window.close(at: at(10_000))
    #expect(closed?.isHoldOverdue == false)
  }

  @Test func `what came and went within a window is not in its batch`() {
    var window = window()
    window.add(change("/w/4913", .created), at: at(0))
    window.add(change("/w/a"), at: at(1))
    window.add(change("/w/b"), at: at(1))
    window.add(change("/w/4913", .deleted), at: at(2))
    let closed = window.close(at: at(32))
    #expect(Set(closed?.changes.map(\.path) ?? []) == ["/w/a", "/w/b"])
  }

  @Test func `what comes and goes while a command of ours runs is not forgotten`() {
    var window = window()
    window.add(.marked(.commandBegan), at: at(0))
    window.add(change("/w/data/x", .created), at: at(1))
    window.add(change("/w/data/x", .deleted), at: at(2))
    #expect(window.close(at: at(32))?.changes == [FileChange(path: "/w/data/x", kind: .deleted)])
    window.add(.marked(.commandEnded), at: at(40))
    window.add(change("/w/data/x", .created), at: at(41))
    window.add(change("/w/data/x", .deleted), at: at(42))
    #expect(window.close(at: at(100)) == nil)
  }

  @Test func `what is there when a command of ours begins, and then goes, is not forgotten`() {
    var window = window()
    window.add(change("/w/data/x", .created), at: at(0))
    window.add(.marked(.commandBegan), at: at(1))
    window.add(.marked(.commandEnded), at: at(2))
    window.add(change("/w/data/x", .deleted), at: at(3))
    #expect(window.close(at: at(33))?.changes == [FileChange(path: "/w/data/x", kind: .deleted)])
  }

  @Test func `a batch has every look at its files, and whether a command of ours ran`() {
    var window = window()
    window.add(change("/w/a"), at: at(0), seeing: .hash(1))
    window.add(.marked(.commandBegan), at: at(1))
    window.add(change("/w/a"), at: at(2), seeing: .hash(2))
    #expect(
      window.close(at: at(32))?.sightings == [
        Sighting(
          path: "/w/a", content: .hash(1), isDuringCommand: false, precedesCommand: true),
        Sighting(path: "/w/a", content: .hash(2), isDuringCommand: true),
      ])
  }

  @Test func `temporary files alone make no batch`() {
    var window = window()
    window.add(change("/w/a.swp", .created), at: at(0))
    window.add(change("/w/a.swp", .deleted), at: at(1))
    let closed = window.close(at: at(31))
    #expect(closed == nil)
    #expect(window.deadline == nil)
  }

  @Test func `a known path that is deleted, made and deleted again was deleted`() {
    var window = window()
    for kind in [FileChange.Kind.deleted, .created, .deleted] {
      window.add(change("/w/a", kind), at: at(0))
    }
    let closed = window.close(at: at(30))
    #expect(closed?.changes == [FileChange(path: "/w/a", kind: .deleted)])
  }

  @Test func `a file that came, went and came again was created`() {
    var window = window()
    for kind in [FileChange.Kind.created, .deleted, .created] {
      window.add(change("/w/a", kind), at: at(0))
    }
    let closed = window.close(at: at(30))
    #expect(closed?.changes == [FileChange(path: "/w/a", kind: .created)])
  }

  @Test func `a request is answered though all files came and went`() {
    var window = window()
    window.add(change("/w/a", .created), at: at(0))
    window.add(change("/w/a", .deleted), at: at(1))
    window.take(Request(id: 1, demand: .trigger(["api"], upTo: nil)), at: at(2))
    let closed = window.close(at: at(2))
    #expect(closed?.requested == ["api"])
  }
}
