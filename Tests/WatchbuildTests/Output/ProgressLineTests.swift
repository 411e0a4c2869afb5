import Events
import FoundationEssentials
import SystemPackage
import TestSupport
import Testing

@testable import watchbuild

struct ProgressLineTests {
  private func event(_ kind: Event.Kind) -> Event {
    Event(sequence: 1, time: Date(timeIntervalSince1970: 0), cycle: 7, kind: kind)
  }

  private func progress(
    _ image: String, sent: Int64, layers: Int = 1, to runtime: String = "docker"
  ) -> Event {
    event(
      .progress(
        Event.LoadProgressed(
          image: image, runtime: runtime, ref: "\(image):dev", bytesSent: sent,
          bytesTotal: 500_000_000, bytesPerSecond: 60_000_000, layersSent: layers, layersTotal: 5)))
  }

  private func image(
    _ image: String, _ status: Event.ImageChanged.Status, runtime: String? = nil,
    error: String? = nil
  ) -> Event {
    var changed = Event.ImageChanged(image: image, target: "//:\(image)", status: status)
    changed.runtime = runtime
    changed.error = error
    return event(.image(changed))
  }

  @Test func `one load shows its layers, bytes and rate`() {
    var line = ProgressLine()
    #expect(line.text == nil)
    line.add(progress("api", sent: 120_000_000))
    #expect(
      line.text
        == "[7] api loading → docker: 1 of 5 layers, 120.0 MB of 500.0 MB, 60.0 MB a second")
  }

  @Test func `several loads are added up`() {
    var line = ProgressLine()
    line.add(progress("api", sent: 100_000_000))
    line.add(progress("web", sent: 50_000_000))
    line.add(progress("web", sent: 150_000_000))
    #expect(
      line.text == "[7] 2 loads under way: 250.0 MB of 1.0 GB, 120.0 MB a second")
  }

  @Test func `what has ended is no longer shown`() {
    var line = ProgressLine()
    line.add(progress("api", sent: 1))
    line.add(progress("api", sent: 1, to: "podman"))
    line.add(image("api", .loaded, runtime: "docker"))
    #expect(line.text?.contains("→ podman") == true)
    line.add(image("api", .cancelled))
    #expect(line.text == nil)
    line.add(progress("web", sent: 1))
    line.add(
      event(
        .cycle(
          Event.CycleEnded(
            status: .cancelled, ok: 0, failed: 0, timings: .init(), bazelCommands: 1))))
    #expect(line.text == nil)
  }

  @Test func `on a terminal the line is written over, and lines that stay go above it`() throws {
    let written = try written {
      try $0.write(progress("api", sent: 1))
      try $0.write(progress("api", sent: 2))
      try $0.write(image("web", .loaded, runtime: "docker"))
      try $0.write(image("api", .loaded, runtime: "docker"))
    }
    // No terminal is behind the pipe, so it has 80 columns, of which one stays free.
    let second = "[7] api loading → docker: 1 of 5 layers, 2 B of 500.0 MB, 60.0 MB a second"
    #expect(
      written
        == "[7] api loading → docker: 1 of 5 layers, 1 B of 500.0 MB, 60.0 MB a second"
        + "\r\u{1B}[K\(second)"
        + "\r\u{1B}[K[7] web loaded → docker\n\(second)"
        + "\r\u{1B}[K[7] api loaded → docker\n")
  }

  @Test func `a line that is too long for the terminal is cut`() throws {
    let written = try written {
      try $0.write(progress(String(repeating: "x", count: 200), sent: 1))
    }
    #expect(written == "[7] " + String(repeating: "x", count: 75))
  }

  @Test func `what is being done is shown until its cycle ends, and loads go before it`() {
    var line = ProgressLine()
    line.add(
      event(
        .activity(
          Event.Activity(
            phase: .build, done: 4, total: 9, running: [.init(what: "Compiling a.c", ms: 2000)],
            queued: ["web/x"], elapsedMs: 4200, usualMs: 13_000))))
    #expect(
      line.text
        == "[7] building 4 of 9 · 4.2s, usually 13.0s · 1 save queued · Compiling a.c 2.0s")
    line.add(progress("api", sent: 120_000_000))
    #expect(line.text?.hasPrefix("[7] api loading") == true)
    line.add(
      event(
        .cycle(
          Event.CycleEnded(status: .ok, ok: 1, failed: 0, timings: .init(), bazelCommands: 1))))
    #expect(line.text == nil)
  }

  @Test func `start-up is shown until it is over`() {
    var line = ProgressLine()
    var starting = event(
      .activity(
        Event.Activity(phase: .start, done: 0, total: 0, running: [], queued: [], elapsedMs: 900)))
    starting.cycle = nil
    line.add(starting)
    #expect(line.text == "starting · 0.9s")
    line.add(event(.ready))
    #expect(line.text == nil)
  }

  private func written(_ body: (EventOutput) throws -> Void) throws -> String {
    let pipe = try FileDescriptor.pipe(options: .closeOnExec)
    try body(EventOutput(PlainOutput(), terminal: OutputStream(descriptor: pipe.writeEnd)))
    try pipe.writeEnd.close()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 1)
    defer { buffer.deallocate() }
    let count = try pipe.readEnd.closeAfter { try pipe.readEnd.read(into: buffer) }
    return String(decoding: buffer.prefix(count), as: UTF8.self)
  }
}
