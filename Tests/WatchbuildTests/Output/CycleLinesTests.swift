import Events
import FoundationEssentials
import Testing

@testable import watchbuild

struct CycleLinesTests {
  private func image(
    _ name: String, _ status: Event.ImageChanged.Status, _ error: String? = nil,
    in runtime: String? = nil
  ) -> Event.Kind {
    var image = Event.ImageChanged(image: name, target: "//\(name):i", status: status)
    image.error = error
    image.runtime = runtime
    return .image(image)
  }

  private let ended = Event.Kind.cycle(
    Event.CycleEnded(
      status: .failed, ok: 0, failed: 1, timings: .init(), bazelCommands: 1))

  private func lines(_ kinds: [Event.Kind]) -> [String] {
    var lines = CycleLines()
    return kinds.flatMap { kind in
      lines.shown(Event(sequence: 1, time: Date(timeIntervalSince1970: 0), cycle: 1, kind: kind))
        .flatMap(PlainOutput().lines)
    }
  }

  @Test func `images that failed of one cause are told in one line, errors last`() {
    #expect(
      lines([
        image("d", .failed, "lib/x.c:1: no"), image("b", .unchanged, in: "docker"),
        image("c", .failed, "other"), image("a", .failed, "lib/x.c:1: no"), ended,
      ]) == [
        "[1] b unchanged → docker", "[1] a, d failed: lib/x.c:1: no", "[1] c failed: other",
        "[1] finished: 0 ok, 1 failed in 0.00s",
      ])
  }

  @Test func `many names are counted`() {
    let names = (10...29).map { "image\($0)" }
    #expect(
      lines(names.map { image($0, .unchanged, in: "docker") } + [ended]).first
        == "[1] image10, image11, image12, image13, image14, image15 and 14 more unchanged → docker"
    )
  }

  @Test func `what a signal cuts short is told before it stops`() {
    #expect(
      lines([image("a", .failed, "no"), .stopping(reason: "SIGINT")]) == [
        "[1] a failed: no", "stopping: SIGINT",
      ])
  }

  @Test func `each runtime has a line of its own`() {
    #expect(
      lines([
        image("a", .unchanged, in: "docker"), image("a", .unchanged, in: "podman"), ended,
      ]).dropLast() == ["[1] a unchanged → docker", "[1] a unchanged → podman"])
  }
}
