import Basics
import Batching
import SystemPackage
import TestSupport
import Testing
import Watcher

/// How requests take their place among the changes.
@Suite struct BatchRequestTests {
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

  private var wait: Request { Request(id: 7, demand: .wait(Question(.everything, upTo: .live))) }

  @Test func `who waits goes with the open window, and leaves it open`() {
    var window = window()
    window.add(change("/w/a"), at: at(0))
    window.take(wait, at: at(10))
    #expect(window.deadline == at(30))
    let batch = window.close(at: at(30))
    #expect(batch?.requests == [wait])
    #expect(batch?.changes.count == 1)
    #expect(batch?.cause == .change)
  }

  @Test func `who waits while nothing is open goes at once`() {
    var window = window()
    window.take(wait, at: at(10))
    #expect(window.deadline == at(10))
    let batch = window.close(at: at(10), isHeld: true)
    #expect(batch?.requests == [wait])
    #expect(batch?.isEmpty == true)
  }

  @Test func `who waits is answered though all files came and went`() {
    var window = window()
    window.add(change("/w/a", .created), at: at(0))
    window.take(wait, at: at(1))
    window.add(change("/w/a", .deleted), at: at(2))
    let batch = window.close(at: at(32))
    #expect(batch?.requests == [wait])
  }

  @Test func `who waits is held with the changes while version control is at work`() {
    var window = window()
    window.add(change("/w/a"), at: at(0))
    window.take(wait, at: at(1))
    #expect(window.close(at: at(30), isHeld: true) == nil)
    #expect(window.close(at: at(60), isHeld: false)?.requests == [wait])
  }

  @Test func `a pause closes the window at once, whoever holds it`() {
    var window = window()
    window.add(change("/w/a"), at: at(0))
    window.take(Request(id: 1, demand: .pause), at: at(1))
    let batch = window.close(at: at(1), isHeld: true)
    #expect(batch?.requests.map(\.id) == [1])
    #expect(batch?.changes.count == 1)
  }

  @Test func `a trigger of nothing is a batch of its own`() {
    var window = window()
    window.take(Request(id: 1, demand: .trigger([], upTo: nil)), at: at(1))
    let batch = window.close(at: at(1))
    #expect(batch?.isTriggered == true)
    #expect(batch?.affectsEverything == false)
    #expect(batch?.cause == .trigger)
  }

  @Test func `a glance tells how many paths have changed, and since when`() {
    var window = window()
    #expect(window.glance(at: at(0)) == nil)
    window.add(change("/w/a"), at: at(5))
    window.add(change("/w/b"), at: at(7))
    let glance = window.glance(at: at(15))
    #expect(glance?.changes == 2)
    #expect(glance?.age == .milliseconds(10))
  }
}
