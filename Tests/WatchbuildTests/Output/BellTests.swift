import Events
import FoundationEssentials
import Settings
import SystemPackage
import TestSupport
import Testing

@testable import watchbuild

struct BellTests {
  private func event(_ kind: Event.Kind) -> Event {
    Event(sequence: 1, time: Date(timeIntervalSince1970: 0), cycle: 7, kind: kind)
  }

  private func end(_ status: Event.CycleEnded.Status, failed: Int = 0, heldUp: Int = 0) -> Event {
    event(
      .cycle(
        Event.CycleEnded(
          status: status, ok: 1, failed: failed, heldUp: heldUp, timings: .init(), bazelCommands: 1)
      ))
  }

  private func rings(_ choice: BellChoice, _ events: [Event]) -> [Bool] {
    var bell = Bell(choice)
    return events.map { bell.rings(at: $0) }
  }

  @Test func `a change of state rings, and what stays as it was does not`() {
    let events = [
      end(.ok), end(.failed, failed: 1), end(.failed, failed: 2), end(.cancelled), end(.ok),
      end(.ok),
    ]
    #expect(rings(.change, events) == [false, true, false, false, true, false])
  }

  @Test func `a run that begins broken rings, and so does one that has an image held up`() {
    #expect(rings(.change, [end(.failed, failed: 1)]) == [true])
    #expect(rings(.change, [end(.ok), end(.ok, heldUp: 1)]) == [false, true])
  }

  @Test func `each cycle rings where that is wanted, an interrupted one does not`() {
    #expect(
      rings(.always, [end(.ok), end(.cancelled), end(.failed, failed: 1)]) == [true, false, true])
    #expect(rings(.never, [end(.ok), end(.failed, failed: 1)]) == [false, false])
  }

  @Test func `on a terminal a cycle begins on an empty screen, and ends with the bell`()
    async throws
  {
    let pipe = try FileDescriptor.pipe(options: .closeOnExec)
    let shown = EventOutput(
      PlainOutput(), terminal: OutputStream(descriptor: pipe.writeEnd), bell: .always, clears: true)
    try shown.write(
      event(
        .batch(
          Event.BatchClosed(
            cause: "change", changes: [.init(path: "a", kind: "modified")], changeCount: 1,
            images: ["web"], windowMs: 30))))
    try shown.write(end(.ok))
    try pipe.writeEnd.close()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
    defer { buffer.deallocate() }
    let count = try pipe.readEnd.closeAfter { try pipe.readEnd.read(into: buffer) }
    let text = String(decoding: buffer.prefix(count), as: UTF8.self)
    #expect(text.hasPrefix("\u{1B}[H\u{1B}[2J"))
    #expect(text.hasSuffix("\n\u{07}"))
  }
}
