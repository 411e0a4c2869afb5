import Events
import Foundation
import Testing

@testable import watchbuild

struct QuietRetriesTests {
  private func events(_ kinds: [Event.Kind]) -> [Event] {
    kinds.enumerated().map { number, kind in
      Event(sequence: number, time: Date(timeIntervalSince1970: 0), cycle: 2, kind: kind)
    }
  }

  private func shown(_ kinds: [Event.Kind]) -> [String] {
    var retries = QuietRetries()
    return events(kinds).flatMap { retries.shown($0) }.map(\.type)
  }

  private func batch(_ cause: String) -> Event.Kind {
    .batch(
      Event.BatchClosed(cause: cause, changes: [], changeCount: 0, images: ["a"], windowMs: 0))
  }

  private func image(_ status: Event.ImageChanged.Status) -> Event.Kind {
    .image(Event.ImageChanged(image: "a", target: "//a:a", status: status))
  }

  private func cycle(ok: Int, failed: Int) -> Event.Kind {
    .cycle(
      Event.CycleEnded(
        status: failed > 0 ? .failed : .ok, ok: ok, failed: failed,
        timings: Event.CycleEnded.Timings(), bazelCommands: 1))
  }

  private let build = Event.Kind.build(
    Event.BuildStarted(targets: [], images: [], key: "", command: []))
  private let waiting = Event.Kind.degraded(reason: "the service does not answer")

  @Test func `another try that comes to nothing is one line`() {
    #expect(
      shown([batch("retry"), build, image(.cancelled), cycle(ok: 0, failed: 1), waiting])
        == ["degraded"])
  }

  @Test func `another try that succeeds is told from its beginning`() {
    #expect(
      shown([batch("retry"), build, image(.built), cycle(ok: 1, failed: 0)])
        == ["batch", "build", "image", "cycle"])
  }

  @Test func `a failure of another kind is told`() {
    #expect(
      shown([batch("retry"), build, image(.failed), cycle(ok: 0, failed: 1)])
        == ["batch", "build", "image", "cycle"])
  }

  @Test func `a save's own cycle is told whatever becomes of it`() {
    let told = [batch("change"), build, image(.cancelled), cycle(ok: 0, failed: 1), waiting]
    #expect(shown(told) == ["batch", "build", "image", "cycle", "degraded"])
  }
}
